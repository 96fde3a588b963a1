#!/usr/bin/env bash
# A checkout with curl: what is there, a dated promise, a hold, the payment, the order.
# Start `allot serve --demo` in another terminal, then: bash examples/checkout.sh [ADDRESS]
set -euo pipefail

api=${1:-http://127.0.0.1:8000}
cart="cart-$(date +%s)-$$"        # your own id of this cart; each change gets an Idempotency-Key made from it
lines='[{"sku": "22726", "quantity": 2}, {"sku": "22727", "quantity": 1}]'
destination='{"postal_code": "07306", "country": "US"}'

# POST PATH BODY [KEY]: sent again if no answer comes, or 503; the same key makes that safe.
post() {
  curl -sS --fail-with-body --max-time 15 --retry 5 --retry-connrefused \
    -H 'Content-Type: application/json' ${3:+-H "Idempotency-Key: $3"} -d "$2" "$api/v1/$1"
}

# field KEY…: picks one value out of a reply.
field() {
  python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1:]:
    value = value[int(key) if key.isdigit() else key]
print(value)' "$@"
}

available=$(post availability '{"lines": [{"sku": "22726"}, {"sku": "22727"}], "by_node": false}')
echo "22726: $(field lines 0 available_now <<< "$available") available, 2 wanted"
echo "22727: $(field lines 1 available_now <<< "$available") available, 1 wanted"

promise=$(post promises "{\"destination\": $destination, \"lines\": $lines}")
promise_id=$(field promise_id <<< "$promise")
option_id=$(field options 0 option_id <<< "$promise")            # the first option is the cheapest

held=$(post reservations "{\"promise_id\": \"$promise_id\", \"option_id\": \"$option_id\"}" "$cart-hold")
reservation_id=$(field reservation_id <<< "$held")
echo "held $reservation_id until $(field expires_at <<< "$held"), to arrive by $(field promised_on <<< "$held")"

echo "paid, with $(field options 0 total_cost_cents <<< "$promise") cents for shipping"    # your payment provider

confirmed=$(post "reservations/$reservation_id/confirm" '{}' "$cart-confirm")
echo "$reservation_id is $(field state <<< "$confirmed")"

order=$(post orders "{\"channel\": \"web\", \"destination\": $destination, \"lines\": $lines,
  \"reservation_id\": \"$reservation_id\"}" "$cart-order")
order_id=$(field order_id <<< "$order")
echo "$order_id is $(field state <<< "$order") for $(field promised_on <<< "$order")"
curl -sS --fail-with-body "$api/v1/orders/$order_id/history"
echo
