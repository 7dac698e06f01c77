#!/bin/sh
# The API with curl alone. Run: sh curl.sh URL
set -eu
base=${1:-http://127.0.0.1:11111}
json='Content-Type: application/json'

echo "# a ranking; cached by its ETag"
curl -sf "$base/graphql?query=%7Branking%7Bentries%7Balbum%7Bid%20title%7D%7D%7D%7D" | sed 's/},{/},\n{/g' | sed -n '1,3p'

echo "# a download"
id=$(curl -sf "$base/graphql" -H "$json" \
  -d '{"query":"mutation { startDownload(input: {albumId: \"350234\"}) { ... on Download { id } ... on Error { code message } } }"}' |
  sed -n 's/.*"id":"\([^"]*\)".*/\1/p')

echo "# its progress, until it has ended"
curl -sfN "$base/graphql" -H "$json" -H 'Accept: text/event-stream' \
  -d "{\"query\":\"subscription { downloadStatus(id: \\\"$id\\\") { state progress { percent } file { url } } }\"}" |
  grep '^data: {'

echo "# its archive"
url=$(curl -sf "$base/graphql" -H "$json" -d "{\"query\":\"{ download(id: \\\"$id\\\") { file { url } } }\"}" |
  sed -n 's/.*"url":"\([^"]*\)".*/\1/p')
curl -sf -o /dev/null -w '%{http_code} %{size_download} bytes\n' "$url"

echo "# the schema, only when it has changed"
etag=$(curl -sfI "$base/schema.graphql" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
curl -s -o /dev/null -w '%{http_code}\n' -H "If-None-Match: $etag" "$base/schema.graphql"
