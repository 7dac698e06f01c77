// Reads an OPDS feed of either version from standard input with the library of Thorium Reader, and prints what that
// understands, as a feed of version 2.
"use strict";

const { readFileSync } = require("node:fs");
const { DOMParser } = require("@xmldom/xmldom");

const built = "dist/es8-es2017/src";
const { initGlobalConverters_OPDS } = require(`r2-opds-js/${built}/opds/init-globals`);
const { convertOpds1ToOpds2 } = require(`r2-opds-js/${built}/opds/converter`);
const { OPDS } = require(`r2-opds-js/${built}/opds/opds1/opds`);
const { OPDSFeed } = require(`r2-opds-js/${built}/opds/opds2/opds2`);
const { initGlobalConverters_GENERIC, initGlobalConverters_SHARED } = require(`r2-shared-js/${built}/init-globals`);
const { TaJsonDeserialize, TaJsonSerialize } = require(`r2-lcp-js/${built}/serializable`);
const { XML } = require(`r2-utils-js/${built}/_utils/xml-js-mapper`);

initGlobalConverters_OPDS();
initGlobalConverters_SHARED();
initGlobalConverters_GENERIC();

const text = readFileSync(0, "utf8");
const feed = text.startsWith("{")
  ? TaJsonDeserialize(JSON.parse(text), OPDSFeed)
  : convertOpds1ToOpds2(XML.deserialize(new DOMParser().parseFromString(text, "application/xml"), OPDS));
process.stdout.write(JSON.stringify(TaJsonSerialize(feed)));
