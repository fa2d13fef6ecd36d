// Asks mailauth for SPF and DMARC: one JSON object a line in, one a line out.
// In: zone (name to lines such as "TXT v=spf1 -all"), and either spf or dmarc (the call's options).
// Out: result, and for DMARC policy and organisation.
"use strict";
const readline = require("node:readline");
const { spf } = require("mailauth/lib/spf");
const { dmarc } = require("mailauth/lib/dmarc");

const failure = (code) => Object.assign(new Error(code), { code });
const wanted = (lines, type) =>
  lines.filter((line) => line.startsWith(type + " ")).map((line) => line.slice(type.length + 1));

const resolverOf = (zone) => {
  const resolve = async (name, type, depth = 0) => {
    const key = name.toLowerCase().replace(/\.$/, "");
    const lines = zone[key];
    if (lines === undefined) {
      const below = Object.keys(zone).some((other) => other.endsWith("." + key));
      throw failure(below ? "ENODATA" : "ENOTFOUND");
    }
    if (lines.includes("FAIL") || lines.includes("FAIL " + type) || depth > 8) throw failure("ESERVFAIL");
    const found = wanted(lines, type);
    const alias = wanted(lines, "CNAME");
    if (!found.length && alias.length && type !== "CNAME") return resolve(alias[0], type, depth + 1);
    if (!found.length) throw failure("ENODATA");
    if (type === "TXT") return found.map((text) => [text]);
    if (type === "MX")
      return found.map((text) => {
        const [priority, exchange] = text.split(" ");
        return { priority: Number(priority), exchange: exchange === "." ? "" : exchange };
      });
    return found;
  };
  return resolve;
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    const resolver = resolverOf(asked.zone);
    let answer;
    try {
      if (asked.spf) {
        answer = { result: (await spf({ ...asked.spf, resolver, strict: true })).status.result };
      } else {
        const found = await dmarc({ ...asked.dmarc, resolver, strict: true });
        answer = found
          ? { result: found.status.result, policy: found.policy || "", organisation: found.domain }
          : { result: "permerror", policy: "", organisation: "" };
      }
    } catch (error) {
      answer = { result: "error", comment: String(error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
})();
