// Verifies recorded webhooks with the npm package of Standard Webhooks. Reads the file that webhook_judges.py reads, and
// prints how many deliveries it accepted; fails if it accepts a forgery. Run it in the folder with node_modules.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const { Webhook } = require("standardwebhooks");

const { secret, deliveries } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const webhook = new Webhook(secret);
let accepted = 0;
for (const { headers, body } of deliveries) {
  const data = webhook.verify(body, headers);
  if (JSON.stringify(data) !== JSON.stringify(JSON.parse(body))) throw new Error("another body than was sent");
  accepted += 1;
  let forged = true;
  try {
    webhook.verify(body.replace("sms", "sm5"), headers);
  } catch {
    forged = false;
  }
  if (forged) throw new Error("a forgery was accepted");
}
console.log(JSON.stringify({ standardwebhooks: accepted }));
