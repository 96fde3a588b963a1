"""A method for each endpoint, to be awaited.

Written by `python -m api.client_writer` out of the OpenAPI document; not to be edited by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Any, Literal

from api.client import models
from api.client.calls import AsyncSender, Call, new_key, part


class AsyncMethods(AsyncSender):
    """A method for each endpoint, to be awaited."""

    async def put_network(self, body: dict[str, Any]) -> models.NetworkVersion:
        """Replace the network: nodes, groups, calendars, zones, services and policy."""
        return await self._send(Call("PUT", "/v1/network", models.NetworkVersion, body=body))

    async def get_network(self) -> dict[str, Any]:
        """Get the network."""
        return await self._send(Call("GET", "/v1/network", dict[str, Any]))

    async def put_catalog(self, body: dict[str, Any]) -> models.CatalogVersion:
        """Replace the catalog: products, kits and substitutes."""
        return await self._send(Call("PUT", "/v1/catalog", models.CatalogVersion, body=body))

    async def get_catalog(self, *, limit: int | None = None, starting_after: str | None = None) -> dict[str, Any]:
        """List the products of the catalog."""
        return await self._send(
            Call("GET", "/v1/catalog", dict[str, Any], query={"limit": limit, "starting_after": starting_after})
        )

    async def put_lead_times(self, body: dict[str, Any]) -> models.LeadTimesVersion:
        """Replace what was learned of lead times."""
        return await self._send(Call("PUT", "/v1/lead-times", models.LeadTimesVersion, body=body))

    async def get_lead_times(self) -> dict[str, Any]:
        """Get what was learned of lead times."""
        return await self._send(Call("GET", "/v1/lead-times", dict[str, Any]))

    async def put_demand_forecast(self, body: dict[str, Any]) -> models.ForecastVersion:
        """Replace the forecast of demand."""
        return await self._send(Call("PUT", "/v1/demand-forecast", models.ForecastVersion, body=body))

    async def get_demand_forecast(self) -> dict[str, Any]:
        """Get the forecast of demand."""
        return await self._send(Call("GET", "/v1/demand-forecast", dict[str, Any]))

    async def put_bid_prices(self, body: dict[str, Any]) -> models.BidPricesVersion:
        """Publish bid prices made elsewhere."""
        return await self._send(Call("PUT", "/v1/bid-prices", models.BidPricesVersion, body=body))

    async def get_bid_prices(self) -> dict[str, Any]:
        """Get the bid prices."""
        return await self._send(Call("GET", "/v1/bid-prices", dict[str, Any]))

    async def read_events(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        types: str | None = None,
        wait_seconds: int | None = None,
    ) -> models.FeedReply:
        """Follow what happens."""
        return await self._send(
            Call(
                "GET",
                "/v1/events",
                models.FeedReply,
                query={"after": after, "limit": limit, "types": types, "wait_seconds": wait_seconds},
            )
        )

    async def create_webhook(
        self, body: models.NewWebhook, *, idempotency_key: str | None = None
    ) -> models.NewWebhookReply:
        """Have events sent to a URL."""
        return await self._send(
            Call("POST", "/v1/webhooks", models.NewWebhookReply, body=body, key=idempotency_key or new_key())
        )

    async def list_webhooks(
        self, *, limit: int | None = None, starting_after: str | None = None
    ) -> models.WebhooksReply:
        """List webhooks."""
        return await self._send(
            Call("GET", "/v1/webhooks", models.WebhooksReply, query={"limit": limit, "starting_after": starting_after})
        )

    async def iter_webhooks(self) -> AsyncIterator[models.WebhookReply]:
        """List webhooks: all pages, one after the other."""
        starting_after: str | None = None
        while True:
            page = await self.list_webhooks(starting_after=starting_after)
            for row in page.data:
                yield row
            if not page.has_more:
                return
            starting_after = page.data[-1].webhook_id

    async def get_webhook(self, webhook_id: str) -> models.WebhookReply:
        """Show a webhook."""
        return await self._send(Call("GET", f"/v1/webhooks/{part(webhook_id)}", models.WebhookReply))

    async def delete_webhook(self, webhook_id: str) -> models.WebhookStateReply:
        """Delete a webhook."""
        return await self._send(Call("DELETE", f"/v1/webhooks/{part(webhook_id)}", models.WebhookStateReply))

    async def rotate_webhook_secret(
        self, webhook_id: str, body: models.Rotation | None = None, *, idempotency_key: str | None = None
    ) -> models.SecretReply:
        """Give a webhook a new secret."""
        return await self._send(
            Call(
                "POST",
                f"/v1/webhooks/{part(webhook_id)}/rotate-secret",
                models.SecretReply,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def enable_webhook(self, webhook_id: str, *, idempotency_key: str | None = None) -> models.WebhookStateReply:
        """Send to a webhook again."""
        return await self._send(
            Call(
                "POST",
                f"/v1/webhooks/{part(webhook_id)}/enable",
                models.WebhookStateReply,
                key=idempotency_key or new_key(),
            )
        )

    async def ping_webhook(self, webhook_id: str) -> models.DeliveryReply:
        """Try a webhook out."""
        return await self._send(Call("POST", f"/v1/webhooks/{part(webhook_id)}/ping", models.DeliveryReply))

    async def list_deliveries(self, webhook_id: str) -> models.DeliveriesReply:
        """List the last requests to a webhook."""
        return await self._send(Call("GET", f"/v1/webhooks/{part(webhook_id)}/deliveries", models.DeliveriesReply))

    async def create_import(
        self,
        body: bytes,
        *,
        media_type: Literal["text/csv", "application/x-ndjson", "application/edi-x12"],
        kind: Literal["carrier_events", "inventory", "orders"],
        idempotency_key: str | None = None,
    ) -> models.AcceptedImport:
        """Import counts or orders from a file."""
        return await self._send(
            Call(
                "POST",
                "/v1/imports",
                models.AcceptedImport,
                query={"kind": kind},
                body=body,
                media_type=media_type,
                key=idempotency_key or new_key(),
            )
        )

    async def get_import(self, import_id: str) -> models.ImportReply:
        """Show how far an import has come."""
        return await self._send(Call("GET", f"/v1/imports/{part(import_id)}", models.ImportReply))

    async def get_import_report(self, import_id: str) -> str:
        """Download what became of each row."""
        return await self._send(Call("GET", f"/v1/imports/{part(import_id)}/report", str))

    async def list_events(
        self, *, sku: str, node_id: str, limit: int | None = None, starting_after: int | None = None
    ) -> models.EventsReply:
        """List what happened to a position."""
        return await self._send(
            Call(
                "GET",
                "/v1/inventory-events",
                models.EventsReply,
                query={"sku": sku, "node_id": node_id, "limit": limit, "starting_after": starting_after},
            )
        )

    async def iter_events(self, *, sku: str, node_id: str) -> AsyncIterator[models.EventReply]:
        """List what happened to a position: all pages, one after the other."""
        starting_after: int | None = None
        while True:
            page = await self.list_events(sku=sku, node_id=node_id, starting_after=starting_after)
            for row in page.data:
                yield row
            if not page.has_more:
                return
            starting_after = page.data[-1].event

    async def put_supplies(
        self, body: models.SuppliesBody, *, idempotency_key: str | None = None
    ) -> models.SuppliesReply:
        """Put scheduled receipts."""
        return await self._send(
            Call("PUT", "/v1/inventory/supplies", models.SuppliesReply, body=body, key=idempotency_key or new_key())
        )

    async def receive_supplies(
        self, body: models.ReceiptsBody, *, idempotency_key: str | None = None
    ) -> models.ReceiptsReply:
        """Receive supplies."""
        return await self._send(
            Call("POST", "/v1/inventory/receipts", models.ReceiptsReply, body=body, key=idempotency_key or new_key())
        )

    async def put_quotas(self, body: models.QuotasBody) -> models.QuotasReply:
        """Set channel quotas."""
        return await self._send(Call("PUT", "/v1/inventory/quotas", models.QuotasReply, body=body))

    async def put_positions(self, body: models.PositionsBody) -> models.PositionsReply:
        """Set stock counts."""
        return await self._send(Call("PUT", "/v1/inventory/positions", models.PositionsReply, body=body))

    async def adjust_stock(
        self, body: models.AdjustmentsBody, *, idempotency_key: str | None = None
    ) -> models.PositionsReply:
        """Adjust stock."""
        return await self._send(
            Call(
                "POST", "/v1/inventory/adjustments", models.PositionsReply, body=body, key=idempotency_key or new_key()
            )
        )

    async def change_conditions(
        self, body: models.ConditionChangesBody, *, idempotency_key: str | None = None
    ) -> models.PositionsReply:
        """Move stock between conditions."""
        return await self._send(
            Call(
                "POST",
                "/v1/inventory/condition-changes",
                models.PositionsReply,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def get_inventory(self, sku: str) -> models.SkuReply:
        """Get the stock of a SKU."""
        return await self._send(Call("GET", f"/v1/inventory/{part(sku)}", models.SkuReply))

    async def list_low_stock(
        self, *, limit: int | None = None, starting_after: int | None = None
    ) -> models.LowStockReply:
        """List positions that are low on stock."""
        return await self._send(
            Call("GET", "/v1/low-stock", models.LowStockReply, query={"limit": limit, "starting_after": starting_after})
        )

    async def iter_low_stock(self) -> AsyncIterator[models.LowPositionReply]:
        """List positions that are low on stock: all pages, one after the other."""
        starting_after: int | None = None
        while True:
            page = await self.list_low_stock(starting_after=starting_after)
            for row in page.data:
                yield row
            if not page.has_more:
                return
            starting_after = page.data[-1].number

    async def list_low_stock_events(
        self, *, limit: int | None = None, starting_after: int | None = None
    ) -> models.LowStockEventsReply:
        """List when positions became low, or recovered."""
        return await self._send(
            Call(
                "GET",
                "/v1/low-stock/events",
                models.LowStockEventsReply,
                query={"limit": limit, "starting_after": starting_after},
            )
        )

    async def iter_low_stock_events(self) -> AsyncIterator[models.LowStockEventReply]:
        """List when positions became low, or recovered: all pages, one after the other."""
        starting_after: int | None = None
        while True:
            page = await self.list_low_stock_events(starting_after=starting_after)
            for row in page.data:
                yield row
            if not page.has_more:
                return
            starting_after = page.data[-1].number

    async def look_up_availability(self, body: models.AvailabilityRequest) -> models.Availability:
        """Look up what is available to promise."""
        return await self._send(Call("POST", "/v1/availability", models.Availability, body=body))

    async def look_up_get_it_by(
        self,
        *,
        sku: str,
        postal_code: str | None = None,
        country: str | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
        channel: str | None = None,
        group: str | None = None,
    ) -> models.GetItBy:
        """Look up when a product could arrive."""
        return await self._send(
            Call(
                "GET",
                "/v1/get-it-by",
                models.GetItBy,
                query={
                    "sku": sku,
                    "postal_code": postal_code,
                    "country": country,
                    "latitude": latitude,
                    "longitude": longitude,
                    "channel": channel,
                    "group": group,
                },
            )
        )

    async def look_up_get_it_by_of_many(self, body: models.GetItByRequest) -> models.GetItBy:
        """Look up when the products of a page could arrive."""
        return await self._send(Call("POST", "/v1/get-it-by", models.GetItBy, body=body))

    async def find_nearest_stores(
        self,
        *,
        sku: str,
        postal_code: str | None = None,
        country: str | None = None,
        latitude: float | None = None,
        longitude: float | None = None,
        channel: str | None = None,
        group: str | None = None,
        quantity: int | None = None,
        radius_km: float | None = None,
        kind: Literal["dc", "store", "third_party", "vendor"] | None = None,
        limit: int | None = None,
    ) -> models.NearestStores:
        """Find the nearest stores with stock."""
        return await self._send(
            Call(
                "GET",
                "/v1/nearest-stores",
                models.NearestStores,
                query={
                    "sku": sku,
                    "postal_code": postal_code,
                    "country": country,
                    "latitude": latitude,
                    "longitude": longitude,
                    "channel": channel,
                    "group": group,
                    "quantity": quantity,
                    "radius_km": radius_km,
                    "kind": kind,
                    "limit": limit,
                },
            )
        )

    async def find_nearest_stores_of_basket(self, body: models.NearestStoresRequest) -> models.NearestStores:
        """Find the nearest stores that have a basket."""
        return await self._send(Call("POST", "/v1/nearest-stores", models.NearestStores, body=body))

    async def promise(self, body: models.PromiseRequest) -> models.Promise:
        """Promise an order: when, from where, at what cost."""
        return await self._send(Call("POST", "/v1/promises", models.Promise, body=body))

    async def list_slots(
        self,
        *,
        node_id: str | None = None,
        service: str | None = None,
        country: str | None = None,
        postal_code: str | None = None,
        from_: date | None = None,
        days: int | None = None,
        limit: int | None = None,
        starting_after: str | None = None,
    ) -> models.SlotList:
        """List slots of pick-ups or deliveries."""
        return await self._send(
            Call(
                "GET",
                "/v1/slots",
                models.SlotList,
                query={
                    "node_id": node_id,
                    "service": service,
                    "country": country,
                    "postal_code": postal_code,
                    "from": from_,
                    "days": days,
                    "limit": limit,
                    "starting_after": starting_after,
                },
            )
        )

    async def iter_slots(
        self,
        *,
        node_id: str | None = None,
        service: str | None = None,
        country: str | None = None,
        postal_code: str | None = None,
        from_: date | None = None,
        days: int | None = None,
    ) -> AsyncIterator[models.SlotEntry]:
        """List slots of pick-ups or deliveries: all pages, one after the other."""
        starting_after: str | None = None
        while True:
            page = await self.list_slots(
                node_id=node_id,
                service=service,
                country=country,
                postal_code=postal_code,
                from_=from_,
                days=days,
                starting_after=starting_after,
            )
            for row in page.data:
                yield row
            if not page.has_more:
                return
            starting_after = page.data[-1].slot_id

    async def reserve(self, body: models.ReservationBody, *, idempotency_key: str | None = None) -> models.Reservation:
        """Hold stock."""
        return await self._send(
            Call("POST", "/v1/reservations", models.Reservation, body=body, key=idempotency_key or new_key())
        )

    async def get_reservation(self, reservation_id: str) -> models.Reservation:
        """Get a reservation."""
        return await self._send(Call("GET", f"/v1/reservations/{part(reservation_id)}", models.Reservation))

    async def confirm_reservation(
        self, reservation_id: str, *, idempotency_key: str | None = None
    ) -> models.Reservation:
        """Confirm a reservation."""
        return await self._send(
            Call(
                "POST",
                f"/v1/reservations/{part(reservation_id)}/confirm",
                models.Reservation,
                key=idempotency_key or new_key(),
            )
        )

    async def cancel_reservation(
        self, reservation_id: str, body: models.PartBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Reservation:
        """Cancel a reservation or some of its lines."""
        return await self._send(
            Call(
                "POST",
                f"/v1/reservations/{part(reservation_id)}/cancel",
                models.Reservation,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def extend_reservation(
        self, reservation_id: str, body: models.ExtendBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Reservation:
        """Extend a reservation."""
        return await self._send(
            Call(
                "POST",
                f"/v1/reservations/{part(reservation_id)}/extend",
                models.Reservation,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def consume_reservation(
        self, reservation_id: str, body: models.PartBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Reservation:
        """Consume a reservation or some of its lines."""
        return await self._send(
            Call(
                "POST",
                f"/v1/reservations/{part(reservation_id)}/consume",
                models.Reservation,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def reserve_many(self, body: models.BatchBody, *, idempotency_key: str | None = None) -> models.BatchReply:
        """Hold stock for many reservations."""
        return await self._send(
            Call("POST", "/v1/reservation-batches", models.BatchReply, body=body, key=idempotency_key or new_key())
        )

    async def put_closure(self, node_id: str, body: models.ClosureBody) -> models.Closure:
        """Switch a node off, or on."""
        return await self._send(Call("PUT", f"/v1/nodes/{part(node_id)}/closure", models.Closure, body=body))

    async def list_closures(self) -> models.Closures:
        """List nodes that are, or were, off."""
        return await self._send(Call("GET", "/v1/node-closures", models.Closures))

    async def put_order_policy(self, body: dict[str, Any]) -> models.OrderPolicyVersion:
        """Put the next version of the order policy."""
        return await self._send(Call("PUT", "/v1/order-policy", models.OrderPolicyVersion, body=body))

    async def get_order_policy(self, *, version: int | None = None) -> dict[str, Any]:
        """Get a version of the order policy."""
        return await self._send(Call("GET", "/v1/order-policy", dict[str, Any], query={"version": version}))

    async def search_orders(
        self,
        *,
        number: str | None = None,
        customer: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        sku: str | None = None,
        channel: str | None = None,
        state: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        starting_after: str | None = None,
        limit: int | None = None,
    ) -> models.FoundOrders:
        """Search orders."""
        return await self._send(
            Call(
                "GET",
                "/v1/orders",
                models.FoundOrders,
                query={
                    "number": number,
                    "customer": customer,
                    "phone": phone,
                    "email": email,
                    "sku": sku,
                    "channel": channel,
                    "state": state,
                    "from": from_,
                    "to": to,
                    "starting_after": starting_after,
                    "limit": limit,
                },
            )
        )

    async def capture_order(self, body: models.OrderBody, *, idempotency_key: str | None = None) -> models.Order:
        """Capture an order."""
        return await self._send(Call("POST", "/v1/orders", models.Order, body=body, key=idempotency_key or new_key()))

    async def get_order_life(self, order_id: str) -> models.OrderLife:
        """Get the whole life of an order."""
        return await self._send(Call("GET", f"/v1/orders/{part(order_id)}/life", models.OrderLife))

    async def reject_order(
        self, order_id: str, body: models.RejectionBody, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Reject lines of an order at a node."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/rejections",
                models.Order,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def accept_order(
        self, order_id: str, body: models.AcceptanceBody, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Accept an order at a node."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/acceptances",
                models.Order,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def override_order(
        self, order_id: str, body: models.OverrideBody, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Override how an order is routed."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/overrides",
                models.Order,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def hold_order(
        self, order_id: str, body: models.OrderHoldBody, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Put an order hold on an order."""
        return await self._send(
            Call("POST", f"/v1/orders/{part(order_id)}/hold", models.Order, body=body, key=idempotency_key or new_key())
        )

    async def unhold_order(
        self, order_id: str, body: models.UnholdBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Release order holds."""
        return await self._send(
            Call(
                "POST", f"/v1/orders/{part(order_id)}/unhold", models.Order, body=body, key=idempotency_key or new_key()
            )
        )

    async def approve_order(
        self, order_id: str, body: models.ApprovalBody, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Approve an order."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/approve",
                models.Order,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def list_alerts(
        self,
        *,
        severity: Literal["critical", "major", "minor"] | None = None,
        limit: int | None = None,
        starting_after: str | None = None,
    ) -> models.AlertsReply:
        """List open alerts."""
        return await self._send(
            Call(
                "GET",
                "/v1/alerts",
                models.AlertsReply,
                query={"severity": severity, "limit": limit, "starting_after": starting_after},
            )
        )

    async def iter_alerts(
        self, *, severity: Literal["critical", "major", "minor"] | None = None
    ) -> AsyncIterator[models.OpenAlert]:
        """List open alerts: all pages, one after the other."""
        starting_after: str | None = None
        while True:
            page = await self.list_alerts(severity=severity, starting_after=starting_after)
            for row in page.data:
                yield row
            if not page.has_more:
                return
            starting_after = page.data[-1].alert_id

    async def put_alert_policy(self, body: dict[str, Any]) -> models.AlertPolicyVersion:
        """Put the next version of the alert policy."""
        return await self._send(Call("PUT", "/v1/alert-policy", models.AlertPolicyVersion, body=body))

    async def get_alert_policy(self) -> dict[str, Any]:
        """Get the alert policy."""
        return await self._send(Call("GET", "/v1/alert-policy", dict[str, Any]))

    async def list_alternatives(self, order_id: str) -> models.AlternativesReply:
        """List ways out for an order."""
        return await self._send(Call("GET", f"/v1/orders/{part(order_id)}/alternatives", models.AlternativesReply))

    async def accept_alternative(
        self,
        order_id: str,
        alternative_id: str,
        body: models.AcceptanceOfAlternative | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> models.Order:
        """Accept a way out for an order."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/alternatives/{part(alternative_id)}/accept",
                models.Order,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def release_order(
        self, order_id: str, body: models.ReleaseBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Release an order to its nodes."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/release",
                models.Order,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def get_packing_slip(self, shipment_id: str) -> bytes:
        """Print the packing slip."""
        return await self._send(Call("GET", f"/v1/shipments/{part(shipment_id)}/packing-slip", bytes))

    async def get_invoice(self, shipment_id: str) -> bytes:
        """Print the invoice of a shipment."""
        return await self._send(Call("GET", f"/v1/shipments/{part(shipment_id)}/invoice", bytes))

    async def get_label(self, shipment_id: str) -> bytes:
        """Print the labels of a shipment."""
        return await self._send(Call("GET", f"/v1/shipments/{part(shipment_id)}/labels", bytes))

    async def get_zpl(self, shipment_id: str) -> bytes:
        """Get the labels of a shipment as ZPL."""
        return await self._send(Call("GET", f"/v1/shipments/{part(shipment_id)}/labels-zpl", bytes))

    async def log_document(
        self, shipment_id: str, body: models.DocumentActBody, *, idempotency_key: str | None = None
    ) -> models.DocumentLog:
        """Log what was done with a document."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/documents",
                models.DocumentLog,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def get_bill(self, order_id: str, number: str) -> bytes:
        """Print an invoice or a credit note of an order."""
        return await self._send(Call("GET", f"/v1/orders/{part(order_id)}/bills/{part(number)}", bytes))

    async def get_bills(self, order_id: str) -> models.OrderBills:
        """Get the invoices and credit notes of an order."""
        return await self._send(Call("GET", f"/v1/orders/{part(order_id)}/bills", models.OrderBills))

    async def get_documents(self, order_id: str) -> models.DocumentLog:
        """Get the document log of an order."""
        return await self._send(Call("GET", f"/v1/orders/{part(order_id)}/documents", models.DocumentLog))

    async def create_wave(self, body: models.WaveBody, *, idempotency_key: str | None = None) -> models.CreatedWave:
        """Begin a wave."""
        return await self._send(
            Call("POST", "/v1/waves", models.CreatedWave, body=body, key=idempotency_key or new_key())
        )

    async def get_wave(self, wave_id: str) -> models.Wave:
        """Get a wave and its pick list."""
        return await self._send(Call("GET", f"/v1/waves/{part(wave_id)}", models.Wave))

    async def take_carrier_events(
        self, body: models.CarrierEventsBody, *, idempotency_key: str | None = None
    ) -> models.TakenEvents:
        """Take events of carriers."""
        return await self._send(
            Call("POST", "/v1/carrier-events", models.TakenEvents, body=body, key=idempotency_key or new_key())
        )

    async def take_easypost_event(
        self, body: bytes, *, media_type: Literal["application/json"], idempotency_key: str | None = None
    ) -> models.TakenEvents:
        """Take an event of EasyPost."""
        return await self._send(
            Call(
                "POST",
                "/v1/carrier-events/easypost",
                models.TakenEvents,
                body=body,
                media_type=media_type,
                key=idempotency_key or new_key(),
            )
        )

    async def list_shipments(
        self,
        *,
        node_id: str,
        state: Literal["packed", "picking", "released"] | None = None,
        limit: int | None = None,
        starting_after: str | None = None,
    ) -> models.ShipmentPage:
        """List the shipments of a node."""
        return await self._send(
            Call(
                "GET",
                "/v1/shipments",
                models.ShipmentPage,
                query={"node_id": node_id, "state": state, "limit": limit, "starting_after": starting_after},
            )
        )

    async def pick_shipment(
        self, shipment_id: str, body: models.PickBody | None = None, *, idempotency_key: str | None = None
    ) -> models.ReleasedShipment:
        """Begin to pick a shipment."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/pick",
                models.ReleasedShipment,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def receive_at_hub(
        self, shipment_id: str, body: models.HubReceiptBody, *, idempotency_key: str | None = None
    ) -> models.ReleasedShipment:
        """Receive units of a shipment at its hub."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/hub-receipts",
                models.ReleasedShipment,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def part_shipment(
        self, shipment_id: str, body: models.PickBody | None = None, *, idempotency_key: str | None = None
    ) -> models.ReleasedShipment:
        """Part a shipment at its hub."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/part",
                models.ReleasedShipment,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def pack_shipment(
        self, shipment_id: str, body: models.PackBody | None = None, *, idempotency_key: str | None = None
    ) -> models.ReleasedShipment:
        """Pack a shipment."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/pack",
                models.ReleasedShipment,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def label_shipment(self, shipment_id: str, *, idempotency_key: str | None = None) -> models.ReleasedShipment:
        """Ask for the labels of a shipment again."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/label",
                models.ReleasedShipment,
                key=idempotency_key or new_key(),
            )
        )

    async def ship_shipment(
        self, shipment_id: str, body: models.ShipBody | None = None, *, idempotency_key: str | None = None
    ) -> models.ReleasedShipment:
        """Ship a shipment."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/ship",
                models.ReleasedShipment,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def deliver_shipment(
        self, shipment_id: str, body: models.DeliverBody | None = None, *, idempotency_key: str | None = None
    ) -> models.ReleasedShipment:
        """Deliver a shipment."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/deliver",
                models.ReleasedShipment,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def lose_shipment(
        self, shipment_id: str, body: models.LossBody, *, idempotency_key: str | None = None
    ) -> models.ReleasedShipment:
        """Report a shipment lost or damaged."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/lose",
                models.ReleasedShipment,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def recall_shipment(
        self, shipment_id: str, body: models.RecallBody, *, idempotency_key: str | None = None
    ) -> models.ReleasedShipment:
        """Recall a shipment."""
        return await self._send(
            Call(
                "POST",
                f"/v1/shipments/{part(shipment_id)}/recall",
                models.ReleasedShipment,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def get_cartons(self, shipment_id: str) -> models.ProposedCartons:
        """Propose cartons for a shipment."""
        return await self._send(Call("GET", f"/v1/shipments/{part(shipment_id)}/cartons", models.ProposedCartons))

    async def get_shipment(self, shipment_id: str) -> models.ReleasedShipment:
        """Get a shipment."""
        return await self._send(Call("GET", f"/v1/shipments/{part(shipment_id)}", models.ReleasedShipment))

    async def modify_order(
        self, order_id: str, body: models.ModifyBody, *, idempotency_key: str | None = None
    ) -> models.ModifiedOrder:
        """Modify an order, or see what that would come to."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/modify",
                models.ModifiedOrder,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def split_order(
        self, order_id: str, body: models.SplitBody, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Split an order."""
        return await self._send(
            Call(
                "POST", f"/v1/orders/{part(order_id)}/split", models.Order, body=body, key=idempotency_key or new_key()
            )
        )

    async def merge_order(
        self, order_id: str, body: models.MergeBody, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Merge an order into another."""
        return await self._send(
            Call(
                "POST", f"/v1/orders/{part(order_id)}/merge", models.Order, body=body, key=idempotency_key or new_key()
            )
        )

    async def authorise_return(
        self, order_id: str, body: models.ReturnBody, *, idempotency_key: str | None = None
    ) -> models.Return:
        """Announce a return of an order."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/returns",
                models.Return,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def list_returns(self, order_id: str) -> models.ReturnsOfOrder:
        """List the returns of an order."""
        return await self._send(Call("GET", f"/v1/orders/{part(order_id)}/returns", models.ReturnsOfOrder))

    async def list_return_nodes(
        self, order_id: str, *, line_id: str, quantity: int | None = None
    ) -> models.ReturnNodes:
        """List where units of an order had best come back to."""
        return await self._send(
            Call(
                "GET",
                f"/v1/orders/{part(order_id)}/return-nodes",
                models.ReturnNodes,
                query={"line_id": line_id, "quantity": quantity},
            )
        )

    async def get_order_payments(self, order_id: str) -> models.OrderPayments:
        """Get the money of an order."""
        return await self._send(Call("GET", f"/v1/orders/{part(order_id)}/payments", models.OrderPayments))

    async def add_order_tenders(
        self, order_id: str, body: models.TendersBody, *, idempotency_key: str | None = None
    ) -> models.OrderPayments:
        """Add tenders to an order."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/tenders",
                models.OrderPayments,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def refund_order(
        self, order_id: str, body: models.RefundBody, *, idempotency_key: str | None = None
    ) -> models.OrderPayments:
        """Give money of an order back."""
        return await self._send(
            Call(
                "POST",
                f"/v1/orders/{part(order_id)}/refunds",
                models.OrderPayments,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def get_tracking_link(self, order_id: str, *, valid_days: int | None = None) -> models.TrackingLink:
        """Make a signed link to an order."""
        return await self._send(
            Call(
                "GET",
                f"/v1/orders/{part(order_id)}/tracking-link",
                models.TrackingLink,
                query={"valid_days": valid_days},
            )
        )

    async def get_tracking_page(self, token: str) -> str:
        """Show an order to its customer as a page."""
        return await self._send(Call("GET", f"/v1/tracking/{part(token)}/page", str))

    async def get_tracking(self, token: str) -> models.Tracked:
        """Show an order to its customer."""
        return await self._send(Call("GET", f"/v1/tracking/{part(token)}", models.Tracked))

    async def get_order_history(self, order_id: str) -> models.OrderHistory:
        """Get the history of an order."""
        return await self._send(Call("GET", f"/v1/orders/{part(order_id)}/history", models.OrderHistory))

    async def get_order_explanation(self, order_id: str, *, run_id: str | None = None) -> models.ExplainedOrder:
        """Explain how an order was routed."""
        return await self._send(
            Call("GET", f"/v1/orders/{part(order_id)}/explanation", models.ExplainedOrder, query={"run_id": run_id})
        )

    async def cancel_order(
        self, order_id: str, body: models.CancelBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Order:
        """Cancel an order, or lines of it."""
        return await self._send(
            Call(
                "POST", f"/v1/orders/{part(order_id)}/cancel", models.Order, body=body, key=idempotency_key or new_key()
            )
        )

    async def get_order(self, order_id: str) -> models.Order:
        """Get an order."""
        return await self._send(Call("GET", f"/v1/orders/{part(order_id)}", models.Order))

    async def find_customers(self, body: models.FindBody) -> models.FoundCustomers:
        """Find customers."""
        return await self._send(Call("POST", "/v1/customers/find", models.FoundCustomers, body=body))

    async def export_customer(self, customer_id: str) -> models.ExportReply:
        """Export all that is kept of a customer."""
        return await self._send(Call("GET", f"/v1/customers/{part(customer_id)}/export", models.ExportReply))

    async def erase_customer(
        self, customer_id: str, body: models.EraseBody | None = None, *, idempotency_key: str | None = None
    ) -> models.ErasedReply:
        """Erase a customer."""
        return await self._send(
            Call(
                "POST",
                f"/v1/customers/{part(customer_id)}/erase",
                models.ErasedReply,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def put_customer(self, customer_id: str, body: models.CustomerBody) -> models.CustomerReply:
        """Keep a customer."""
        return await self._send(Call("PUT", f"/v1/customers/{part(customer_id)}", models.CustomerReply, body=body))

    async def get_customer(self, customer_id: str) -> models.CustomerReply:
        """Get a customer."""
        return await self._send(Call("GET", f"/v1/customers/{part(customer_id)}", models.CustomerReply))

    async def show_opt_out(self, token: str) -> str:
        """Ask whether to stop mails."""
        return await self._send(Call("GET", f"/v1/opt-outs/{part(token)}", str))

    async def opt_out(
        self,
        token: str,
        body: bytes,
        *,
        media_type: Literal["application/x-www-form-urlencoded", "multipart/form-data"],
    ) -> str:
        """Stop mails to an address."""
        return await self._send(Call("POST", f"/v1/opt-outs/{part(token)}", str, body=body, media_type=media_type))

    async def put_notice_templates(self, body: dict[str, Any]) -> models.NoticeTemplatesVersion:
        """Replace the notice templates."""
        return await self._send(Call("PUT", "/v1/notice-templates", models.NoticeTemplatesVersion, body=body))

    async def get_notice_templates(self) -> dict[str, Any]:
        """Get the notice templates."""
        return await self._send(Call("GET", "/v1/notice-templates", dict[str, Any]))

    async def take_without_receipt(
        self, body: models.ReturnWithoutReceiptBody, *, idempotency_key: str | None = None
    ) -> models.Return:
        """Take units back without a receipt."""
        return await self._send(Call("POST", "/v1/returns", models.Return, body=body, key=idempotency_key or new_key()))

    async def approve_return(
        self, return_id: str, body: models.ReturnDecisionBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Return:
        """Approve a return."""
        return await self._send(
            Call(
                "POST",
                f"/v1/returns/{part(return_id)}/approve",
                models.Return,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def reject_return(
        self, return_id: str, body: models.ReturnDecisionBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Return:
        """Refuse to approve a return."""
        return await self._send(
            Call(
                "POST",
                f"/v1/returns/{part(return_id)}/reject",
                models.Return,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def receive_return(
        self, return_id: str, body: models.ReturnReceiptBody, *, idempotency_key: str | None = None
    ) -> models.Return:
        """Receive units of a return."""
        return await self._send(
            Call(
                "POST",
                f"/v1/returns/{part(return_id)}/receipts",
                models.Return,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def inspect_return(
        self, return_id: str, body: models.ReturnInspectionBody, *, idempotency_key: str | None = None
    ) -> models.Return:
        """Say what becomes of units that came back."""
        return await self._send(
            Call(
                "POST",
                f"/v1/returns/{part(return_id)}/inspections",
                models.Return,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def refurbish_return(
        self, return_id: str, body: models.ReturnRefurbishmentBody, *, idempotency_key: str | None = None
    ) -> models.Return:
        """Say what became of units that were to be refurbished."""
        return await self._send(
            Call(
                "POST",
                f"/v1/returns/{part(return_id)}/refurbishments",
                models.Return,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def cancel_return(
        self, return_id: str, body: models.ReturnDecisionBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Return:
        """Cancel a return."""
        return await self._send(
            Call(
                "POST",
                f"/v1/returns/{part(return_id)}/cancel",
                models.Return,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def close_return(
        self, return_id: str, body: models.ReturnDecisionBody | None = None, *, idempotency_key: str | None = None
    ) -> models.Return:
        """Close a return."""
        return await self._send(
            Call(
                "POST",
                f"/v1/returns/{part(return_id)}/close",
                models.Return,
                body=body,
                key=idempotency_key or new_key(),
            )
        )

    async def get_return(self, return_id: str) -> models.Return:
        """Get a return."""
        return await self._send(Call("GET", f"/v1/returns/{part(return_id)}", models.Return))

    async def put_return_policy(self, body: models.ReturnPolicy) -> models.ReturnPolicyVersion:
        """Put the next version of the return policy."""
        return await self._send(Call("PUT", "/v1/return-policy", models.ReturnPolicyVersion, body=body))

    async def get_return_policy(self) -> models.ReturnPolicyReply:
        """Get the return policy."""
        return await self._send(Call("GET", "/v1/return-policy", models.ReturnPolicyReply))

    async def put_tax_rates(self, body: models.TaxTable) -> models.TaxRatesVersion:
        """Put the tax rates."""
        return await self._send(Call("PUT", "/v1/tax-rates", models.TaxRatesVersion, body=body))

    async def get_tax_rates(self) -> models.TaxRatesReply:
        """Get the tax rates."""
        return await self._send(Call("GET", "/v1/tax-rates", models.TaxRatesReply))

    async def take_stripe_event(
        self, tenant: str, body: bytes, *, media_type: Literal["application/json"]
    ) -> models.TakenStripeEvent:
        """Take an event of Stripe."""
        return await self._send(
            Call(
                "POST",
                f"/v1/payments/stripe-events/{part(tenant)}",
                models.TakenStripeEvent,
                body=body,
                media_type=media_type,
            )
        )

    async def get_payments_report(self, *, from_: str | None = None, to: str | None = None) -> models.Report:
        """Reconcile payments."""
        return await self._send(Call("GET", "/v1/payments/report", models.Report, query={"from": from_, "to": to}))

    async def get_store_credit(self, code: str) -> models.Credit:
        """Get a store credit."""
        return await self._send(Call("GET", f"/v1/payments/store-credits/{part(code)}", models.Credit))

    async def put_policy(self, policy_id: str, body: dict[str, Any]) -> models.PolicyVersion:
        """Put the next version of a policy."""
        return await self._send(Call("PUT", f"/v1/policies/{part(policy_id)}", models.PolicyVersion, body=body))

    async def get_policy(self, policy_id: str, *, version: int | None = None) -> dict[str, Any]:
        """Get a version of a policy."""
        return await self._send(
            Call("GET", f"/v1/policies/{part(policy_id)}", dict[str, Any], query={"version": version})
        )

    async def list_policies(
        self, *, limit: int | None = None, starting_after: str | None = None
    ) -> models.PoliciesPage:
        """List policies."""
        return await self._send(
            Call("GET", "/v1/policies", models.PoliciesPage, query={"limit": limit, "starting_after": starting_after})
        )

    async def iter_policies(self) -> AsyncIterator[models.PolicyEntry]:
        """List policies: all pages, one after the other."""
        starting_after: str | None = None
        while True:
            page = await self.list_policies(starting_after=starting_after)
            for row in page.data:
                yield row
            if not page.has_more:
                return
            starting_after = page.data[-1].policy_id

    async def start_routing_run(
        self, body: models.RoutingRunBody, *, idempotency_key: str | None = None
    ) -> models.RoutingRunStarted:
        """Route open orders."""
        return await self._send(
            Call("POST", "/v1/routing-runs", models.RoutingRunStarted, body=body, key=idempotency_key or new_key())
        )

    async def get_routing_run(self, run_id: str) -> models.RoutingRun:
        """Get a routing run."""
        return await self._send(Call("GET", f"/v1/routing-runs/{part(run_id)}", models.RoutingRun))

    async def create_simulation(
        self, body: models.SimulationBody, *, idempotency_key: str | None = None
    ) -> models.AcceptedSimulation:
        """Simulate a scenario."""
        return await self._send(
            Call("POST", "/v1/simulations", models.AcceptedSimulation, body=body, key=idempotency_key or new_key())
        )

    async def get_simulation(self, simulation_id: str) -> models.SimulationReply:
        """Show how far a simulation is."""
        return await self._send(Call("GET", f"/v1/simulations/{part(simulation_id)}", models.SimulationReply))

    async def cancel_simulation(self, simulation_id: str) -> models.SimulationReply:
        """Cancel or forget a simulation."""
        return await self._send(Call("DELETE", f"/v1/simulations/{part(simulation_id)}", models.SimulationReply))

    async def read_simulation_events(
        self, simulation_id: str, *, after: int | None = None, wait_seconds: float | None = None
    ) -> str:
        """Follow a simulation."""
        return await self._send(
            Call(
                "GET",
                f"/v1/simulations/{part(simulation_id)}/events",
                str,
                query={"after": after, "wait_seconds": wait_seconds},
            )
        )

    async def get_simulation_report(self, simulation_id: str) -> str:
        """Show the report of a simulation."""
        return await self._send(Call("GET", f"/v1/simulations/{part(simulation_id)}/report", str))

    async def get_simulation_results(self, simulation_id: str, *, table: str | None = None) -> bytes:
        """Download a table of a simulation."""
        return await self._send(
            Call("GET", f"/v1/simulations/{part(simulation_id)}/results", bytes, query={"table": table})
        )

    async def is_live(self) -> models.Live:
        """Say that the process is alive."""
        return await self._send(Call("GET", "/v1/health/live", models.Live))

    async def is_ready(self) -> models.Ready:
        """Say that the service can keep its promises, or why not."""
        return await self._send(Call("GET", "/v1/health/ready", models.Ready))
