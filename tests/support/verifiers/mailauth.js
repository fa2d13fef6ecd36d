// Asks mailauth about messages: one JSON object a line in, one a line out.
// In: raw (base64), dns (name to list of texts, or null for a failure), at (Unix time).
// Out: dkim (list of results, top first), arc (the chain's result), and their comments.
"use strict";
const readline = require("node:readline");
const { dkimVerify } = require("mailauth/lib/dkim/verify");
const { arc } = require("mailauth/lib/arc");

const failure = (code) => Object.assign(new Error(code), { code });

const resolverOf = (dns) => async (name, type) => {
  const texts = dns[name.toLowerCase()];
  if (texts === null) throw failure("ESERVFAIL");
  if (type !== "TXT" || texts === undefined || texts.length === 0) throw failure("ENOTFOUND");
  return texts.map((text) => [text]);
};

const judge = async ({ raw, dns, at }) => {
  const options = {
    resolver: resolverOf(dns),
    minBitLength: 1024,
    strict: true,
    curTime: new Date(at * 1000),
  };
  const verified = await dkimVerify(Buffer.from(raw, "base64"), options);
  const chain = await arc(verified.arc, options);
  return {
    dkim: verified.results.map((one) => one.status.result),
    arc: chain.status.result,
    comments: [...verified.results.map((one) => one.status.comment), chain.status.comment],
  };
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let answer;
    try {
      answer = await judge(JSON.parse(line));
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
})();
