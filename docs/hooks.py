"""What the build of the documentation adds: notebooks, settings, commands; nothing loads from elsewhere."""

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FROM_ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|link(?=[^>]*rel=\"?(?:stylesheet|preload|preconnect|icon)))[^>]*?"
    r"(?:src|href)=\"?((?:https?:)?//[^\"\s>]+)"
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every notebook as a page, its pictures as files."""
    for path in NOTEBOOKS:
        text, pictures = notebook(json.loads(path.read_text(encoding="utf-8")), path.stem)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in what is made from the code where a page asks for it."""
    for marker, made in (("settings", settings), ("commands", commands)):
        if f"<!-- {marker} -->" in markdown:
            markdown = markdown.replace(f"<!-- {marker} -->", made())
    return markdown


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that would load anything from another host."""
    if found := FROM_ELSEWHERE.findall(output):
        raise PluginError(f"{page.file.src_uri} would load {', '.join(sorted(set(found)))}")
    return output


def notebook(content: dict[str, Any], stem: str) -> tuple[str, dict[str, bytes]]:
    """Return a notebook as Markdown, and its pictures by file name."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in content["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.md)", source))
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{stem}-{len(pictures) + 1}.png"
                pictures[name] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![Output of the cell above]({name})")
            elif "text/html" in data:
                parts.append(f'<div class="output">{one_block("".join(data["text/html"]))}</div>')
            elif text := "".join(data.get("text/plain", output.get("text", []))):
                parts.append(f"```text\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n", pictures


def one_block(html: str) -> str:
    """Return HTML without empty lines and style sheets, so that Markdown takes it as one block."""
    return re.sub(r"\n\s*", " ", re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)).strip()


def settings() -> str:
    """Return every setting with its type, default and meaning, section by section."""
    from recsys.settings import Settings

    return "\n".join(section(Settings, ""))


def section(model: Any, name: str) -> list[str]:
    """Return the table of one group of settings, and of the groups below it."""
    text, meanings = described(model.__doc__ or "")
    meanings = commented(name) | meanings
    rows, below = [], []
    for key, field in model.model_fields.items():
        full = f"{name}.{key}".lstrip(".")
        if hasattr(field.annotation, "model_fields"):
            below += section(field.annotation, full)
            continue
        default = json.dumps(field.get_default(call_default_factory=True), default=list)
        rows.append(f"| `{key}` | {type_of(field)} | `{default}` | {meanings.get(key, '')} |")
    table = ["| key | type | default | what |", "|---|---|---|---|", *rows] if rows else []
    return [f"## {f'`{name}`' if name else 'At the top'}", "", text, "", *table, "", *below]


def described(doc: str) -> tuple[str, dict[str, str]]:
    """Return what a docstring says of the whole, and what it says of single keys."""
    whole, meanings, keys = [], {}, []
    for line in re.split(r"\n\s*>>>", doc)[0].strip().splitlines():
        if found := re.match(r"\s*(\w+(?:, \w+)*): +(\S.*)", line):
            keys = found[1].split(", ")
            meanings.update(dict.fromkeys(keys, found[2]))
        elif keys and line.strip():
            meanings.update({key: f"{meanings[key]} {line.strip()}" for key in keys})
        else:
            keys = []
            whole.append(line.strip())
    text = "\n".join(whole).strip()
    pairs = re.findall(r"(\w+): ([^;]+)", "; ".join(f"{key}: {said}" for key, said in meanings.items()))
    return text, {key: said.strip().rstrip(".") for key, said in (*pairs, *meanings.items())}


def commented(section: str) -> dict[str, str]:
    """Return what the comments of params.yaml say of the keys of a section."""
    found, above, comment = {}, [], ""
    for line in (ROOT / "params.yaml").read_text(encoding="utf-8").splitlines():
        if key := re.match(r"( *)(\w+):[^#]*(?:#\s*(.*))?$", line):
            above = [*above[: len(key[1]) // 2], key[2]]
            if ".".join(above[:-1]) == section and (key[3] or comment):
                found[key[2]] = key[3] or comment
        comment = f"{comment} {note[1]}".strip() if (note := re.match(r" *# (.*)", line)) else ""
    return found


def type_of(field: Any) -> str:
    """Return the type of a setting and its limits as a reader writes them."""
    kind = field.annotation
    text = kind.__name__ if type(kind) is type else str(kind)
    text = re.sub(r"typing\.|annotated_types\.", "", text)
    text = re.sub(r"Annotated\[([^,\[\]]+), [^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)?\]", r"\1", text)
    text = re.sub(r"Optional\[(.+)\]$", r"\1 or None", re.sub(r"Union\[(.+)\]$", r"\1", text))
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    limits = [
        f"{sign} {getattr(one, name)}"
        for one in field.metadata
        for name, sign in signs.items()
        if hasattr(one, name)
    ]
    return ", ".join([f"`{text.replace(' | ', ' or ')}`", *limits])


def commands() -> str:
    """Return every command with its help, arguments and options."""
    from typer.main import get_command

    from recsys.cli import app

    group: Any = get_command(app)
    parts: list[str] = [str(group.help or "")]
    for name in sorted(group.commands):
        command = group.commands[name]
        parts.append(f"## `recsys {name}`\n\n{command.help or ''}\n")
        rows = [parameter_row(one) for one in command.params if not getattr(one, "hidden", False)]
        if rows:
            parts.append("| argument or option | default | what |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def parameter_row(parameter: Any) -> str:
    """Return a row of the table of a command's arguments and options."""
    is_option = parameter.param_type_name == "option"
    names = ", ".join(f"`{one}`" for one in (*parameter.opts, *parameter.secondary_opts))
    names = names if is_option else f"`{parameter.name.upper()}`"
    default = "required" if parameter.required else parameter.default
    shown = "" if default is None or callable(default) or default in ((), False) else f"`{default}`"
    return f"| {names} | {shown} | {(getattr(parameter, 'help', None) or '').replace('|', chr(92) + '|')} |"


sys.path.insert(0, str(ROOT))
