// SPDX-License-Identifier: Apache-2.0
// The AWS SDK for JavaScript behind one JSON object a line: {"do": "put", ...} in, {"ok": ...} or {"refused": ...} out.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import * as s3 from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const { endpoint, region, credentials } = JSON.parse(process.argv[2]);
const client = new s3.S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
const encode = (bytes) => Buffer.from(bytes).toString("base64");
const decode = (text) => Buffer.from(text, "base64");
const send = (Command, input) => client.send(new Command(input));
const where = ({ bucket, key }) => ({ Bucket: bucket, Key: key });
const source = (bucket, key) => [bucket, ...key.split("/")].map(encodeURIComponent).join("/");

const operations = {
  put: async (ask) => void (await send(s3.PutObjectCommand, { ...where(ask), Body: decode(ask.body) })),
  put_stream: async (ask) => {
    const body = decode(ask.body);
    await send(s3.PutObjectCommand, { ...where(ask), Body: Readable.from([body]), ContentLength: body.length });
  },
  get: async (ask) => encode(await (await send(s3.GetObjectCommand, where(ask))).Body.transformToByteArray()),
  get_range: async (ask) => {
    const input = { ...where(ask), Range: `bytes=${ask.first}-${ask.last}` };
    return encode(await (await send(s3.GetObjectCommand, input)).Body.transformToByteArray());
  },
  list: async ({ bucket, prefix, delimiter }) => {
    const input = { Bucket: bucket, Prefix: prefix, Delimiter: delimiter || undefined };
    const found = { keys: [], prefixes: [] };
    for await (const page of s3.paginateListObjectsV2({ client }, input)) {
      found.keys.push(...(page.Contents ?? []).map((entry) => entry.Key));
      found.prefixes.push(...(page.CommonPrefixes ?? []).map((entry) => entry.Prefix));
    }
    return found;
  },
  put_large: async (ask) => {
    const params = { ...where(ask), Body: createReadStream(ask.file) };
    await new Upload({ client, params, partSize: 5 * 1024 * 1024, queueSize: 2 }).done();
  },
  copy: async ({ bucket, key, to }) =>
    void (await send(s3.CopyObjectCommand, { Bucket: bucket, Key: to, CopySource: source(bucket, key) })),
  delete: async ({ bucket, keys }) => {
    if (keys.length === 1) return void (await send(s3.DeleteObjectCommand, where({ bucket, key: keys[0] })));
    const input = { Bucket: bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } };
    const { Errors = [] } = await send(s3.DeleteObjectsCommand, input);
    if (Errors.length > 0) throw Object.assign(new Error(Errors[0].Message), { name: Errors[0].Code });
  },
  put_tags: async (ask) => {
    const TagSet = Object.entries(ask.tags).map(([Key, Value]) => ({ Key, Value }));
    await send(s3.PutObjectTaggingCommand, { ...where(ask), Tagging: { TagSet } });
  },
  get_tags: async (ask) => {
    const { TagSet = [] } = await send(s3.GetObjectTaggingCommand, where(ask));
    return Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value]));
  },
  presign_get: async (ask) => getSignedUrl(client, new s3.GetObjectCommand(where(ask)), { expiresIn: 300 }),
  presign_put: async (ask) => getSignedUrl(client, new s3.PutObjectCommand(where(ask)), { expiresIn: 300 }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line);
  let answer;
  try {
    answer = { ok: (await operations[ask.do](ask)) ?? null };
  } catch (error) {
    answer = { refused: { status: error.$metadata?.httpStatusCode ?? 0, code: error.name, text: error.message } };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
