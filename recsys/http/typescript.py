"""TypeScript types of the service, from its OpenAPI document: what a typed client compiles against."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

_SIMPLE: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEAD: Final = "// Types of the recsys service; `recsys openapi --typescript` writes them anew.\n"


def typescript(document: Mapping[str, Any]) -> str:
    """Return an interface for each schema of an OpenAPI document.

    >>> page = {"type": "object", "properties": {"next": {"type": "string"}}, "required": []}
    >>> print(typescript({"components": {"schemas": {"Page": page}}}).splitlines()[-3])
    export interface Page {
    """
    schemas = document["components"]["schemas"]
    return "\n".join([_HEAD, *(_declared(name, schemas[name]) for name in sorted(schemas))])


def _declared(name: str, schema: Mapping[str, Any]) -> str:
    about = _comment(schema.get("description", ""))
    if "properties" not in schema:
        return f"{about}export type {name} = {_type(schema)};\n"
    return f"{about}export interface {name} {_object(schema)}\n"


def _comment(text: str, indent: str = "") -> str:
    first = text.split("\n\n", maxsplit=1)[0].replace("*/", "* /").replace("\n", " ")
    return f"{indent}/** {first} */\n" if first else ""


def _object(schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ()))
    lines = []
    for name, value in schema["properties"].items():
        key = name if _NAME.fullmatch(name) else json.dumps(name)
        about = _comment(value.get("description", ""), "  ")
        lines.append(f"{about}  {key}{'' if name in required else '?'}: {_type(value)};\n")
    return "{\n" + "".join(lines) + "}"


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(dict.fromkeys(_type(one) for one in schema[key]))
    if "const" in schema or "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "array":
        inner = _type(schema["items"]) if "items" in schema else "unknown"
        return f"{inner}[]" if _NAME.fullmatch(inner) else f"({inner})[]"
    if kind == "object" and "properties" not in schema:
        inner = schema.get("additionalProperties", True)
        return f"Record<string, {_type(inner) if isinstance(inner, Mapping) else 'unknown'}>"
    return _object(schema) if kind == "object" else _SIMPLE.get(str(kind), "unknown")
