// A typed client of the service: a page with reasons in Japanese, what was shown, a like, and the next page.
// Types: recsys openapi --typescript > recsys.ts
// Build: tsc --strict --target es2022 --lib es2022,dom --module nodenext client.ts   (package.json: "type": "module")
// Run:   RECSYS_TOKEN=$(recsys token --scope members) node client.js u0000007

import type { FailureAnswer, MemberEvent, PageOfPeople, Recorded, Shown } from "./recsys.js";

declare const process: { env: Record<string, string | undefined>; argv: string[] };

const base = process.env["RECSYS_URL"] ?? "http://localhost:8000";
const headers = {
  authorization: `Bearer ${process.env["RECSYS_TOKEN"] ?? ""}`,
  "content-type": "application/json",
};

export class Refused extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await fetch(base + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  if (!answer.ok) {
    const failure = (await answer.json()) as FailureAnswer; // 503: show nobody, and ask again after Retry-After
    throw new Refused(answer.status, failure.error.message);
  }
  return (await answer.json()) as Answer;
}

export const page = (viewer: string, k = 10, after?: string | null): Promise<PageOfPeople> =>
  ask("GET", `/v1/members/${encodeURIComponent(viewer)}/page?k=${k}&lang=ja` + (after ? `&after=${after}` : ""));

export const shown = (viewer: string, what: Shown): Promise<Recorded> =>
  ask("POST", `/v1/members/${encodeURIComponent(viewer)}/shown`, what);

export const happened = (viewer: string, events: MemberEvent[]): Promise<{ new: number }> =>
  ask("POST", `/v1/members/${encodeURIComponent(viewer)}/events`, events);

export async function main(viewer: string): Promise<void> {
  const first = await page(viewer, 3);
  for (const person of first.people) {
    console.log(person.rank, person.id, person.reasons.map((reason) => reason.text).join("、"));
  }
  await shown(viewer, { receipt: first.receipt, people: first.people.map((person) => person.id) });
  const liked = first.people[0];
  if (liked) {
    await happened(viewer, [{ event_id: `like-${viewer}-${liked.id}`, type: "like", person: liked.id }]);
  }
  console.log((await page(viewer, 3, first.next)).people.map((person) => person.id).join(" "));
}

const viewer = process.argv[2];
if (viewer) {
  await main(viewer);
}
