"""The services around an order's life, from capture to return, and how they are handed to one another.

Half of bootstrap.py, by itself: picked here are payment providers, carriers, and who does what orders ask to be done
elsewhere. Not here: what these stand on (`Ground`), which bootstrap.py picks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.availability.reference import Reference
from engine.clock import Clock
from engine.config import Settings
from engine.customers.keys import CustomerKeys
from engine.customers.recent_book import KeyedRecentBook
from engine.customers.service import CustomerService
from engine.exceptions.accepting import REROUTE
from engine.exceptions.dry import DryPromises
from engine.exceptions.policy import AlertPolicyService
from engine.exceptions.rerouting import rerouting
from engine.exceptions.seeing import Seeing
from engine.exceptions.service import Exceptions
from engine.exceptions.watch import JeopardyWatch, no_notice
from engine.fulfillment.addresses import addresses_under
from engine.fulfillment.carrier_events import CarrierEvents
from engine.fulfillment.carrier_providers import carriers_by
from engine.fulfillment.carriers import Carriers
from engine.fulfillment.documents import DocumentService
from engine.fulfillment.labels import Labels
from engine.fulfillment.packing import LABEL
from engine.fulfillment.service import FulfillmentService
from engine.fulfillment.timed_release import TimedReleases
from engine.fulfillment.waves import WaveService
from engine.inventory.service import InventoryService
from engine.inventory.slot_desk import SlotDesk
from engine.notices.links import Links
from engine.notices.reasons import SEND, beginning, delayed, following
from engine.notices.sending import NoticeSender
from engine.notices.terms import notice_terms
from engine.notices.wording import NoticeTemplates
from engine.orders.beginning import OrderBeginnings
from engine.orders.breaking import BROKEN, BrokenStock
from engine.orders.cancellations import Cancellations
from engine.orders.changing import OrderChanges
from engine.orders.checking.service import OrderPolicies
from engine.orders.effecting import Effects, Handler
from engine.orders.holding import release_in_time
from engine.orders.modifications import Modifications
from engine.orders.order_holds import RELEASE
from engine.orders.paying.beginning import with_tenders
from engine.orders.paying.tax_rates import TaxRates
from engine.orders.paying.tendering import Tendering
from engine.orders.regrouping import Regrouping
from engine.orders.released import VOID
from engine.orders.revising import Revision
from engine.orders.service import OrderService
from engine.payments.handling import PaymentEffects
from engine.payments.numbering import BillNumbers
from engine.payments.provider import PaymentProvider
from engine.payments.provider_reports import ProviderReports
from engine.payments.providers import STRIPE, check_card_provider, payment_providers
from engine.payments.service import PaymentService
from engine.payments.store_credit import StoreCredit
from engine.payments.stripe import StripeProvider
from engine.payments.stripe_events import StripeEvents
from engine.promising.capacity import Room
from engine.promising.service import PromiseService
from engine.returns.capturing import Exchanges
from engine.returns.exchanging import ExchangeTerms
from engine.returns.handling import return_handlers
from engine.returns.labelling import ReturnLabels
from engine.returns.policy import ReturnPolicies
from engine.returns.service import ReturnService
from engine.returns.settling import SETTLE, Settling, settling
from engine.returns.travelling import ReturnParcels
from engine.routing.runs import RoutingRuns
from engine.stores import Stores
from engine.webhooks.posting import NoticePoster
from engine.webhooks.targets import Targets


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderParts:
    """The services around the orders of one tenant."""

    orders: OrderService
    cancellations: Cancellations
    modifications: Modifications
    tax_rates: TaxRates
    payments: PaymentService
    store_credit: StoreCredit
    stripe_events: StripeEvents
    regrouping: Regrouping
    order_policies: OrderPolicies
    changes: OrderChanges
    effects: Effects
    fulfillment: FulfillmentService
    releases: TimedReleases
    waves: WaveService
    documents: DocumentService
    carrier_events: CarrierEvents
    customers: CustomerService
    notices: NoticeTemplates
    links: Links
    public_url: str
    """Where customers reach the server, blank if that is not said."""
    returns: ReturnService
    return_policies: ReturnPolicies
    exceptions: Exceptions
    jeopardy: JeopardyWatch
    alert_policy: AlertPolicyService


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What they stand on."""

    settings: Settings
    clock: Clock
    stores: Stores
    reference: Reference
    inventory: InventoryService
    slots: SlotDesk
    promising: PromiseService
    runs: RoutingRuns
    room: Callable[[], Room]


def order_parts(ground: Ground) -> OrderParts:
    """Return the services, each with the parts it needs."""
    settings, clock, stores, reference = ground.settings, ground.clock, ground.stores, ground.reference
    inventory, slots = ground.inventory, ground.slots
    terms = notice_terms(settings, _poster(settings, clock))
    tells = terms.mailer is not None or terms.poster is not None
    changes = OrderChanges(stores.orders, clock, _following if tells else settling)
    order_policies = OrderPolicies(stores.documents)
    tax_rates = TaxRates(stores.documents)
    customers = _customers(settings, clock, stores)
    credit = StoreCredit(stores.documents, clock, customers.root)
    providers = _providers(settings, stores, clock, credit)
    tendering = Tendering(check_card_provider(settings.card_provider, providers), tuple(providers))
    recent = KeyedRecentBook(stores.recent, customers.root)
    begins = [with_tenders(tendering), *([beginning] if tells else [])]
    beginnings = OrderBeginnings(order_policies, recent, tax_rates.at, begins)
    links, notices = Links(settings.tenant, customers.root), NoticeTemplates(stores.documents)
    sender = NoticeSender(
        customers=customers, templates=notices, reference=reference, links=links, clock=clock, terms=terms
    )
    carriers, addressed = _carriers(settings), addresses_under(customers.seal)
    labels = Labels(carriers, reference, stores.tracking, addressed)
    cancellations = Cancellations(changes, stores.inventory, reference, order_policies, slots)
    reports = ProviderReports(changes, stores.documents)
    paying = PaymentEffects(providers, stores.inventory, cancellations.cancel)
    regrouping = Regrouping(stores.orders, changes, inventory, reference, order_policies, clock, customers.seal)
    for_exchanges = OrderService(
        stores.orders, stores.inventory, reference, clock, slots, beginnings=beginnings, seal=customers.seal
    )
    exchanges = Exchanges(for_exchanges, changes, ground.promising, inventory, customers.seal)
    handlers = {
        **_handlers(labels, paying),
        BROKEN: BrokenStock(inventory).keep,
        **BillNumbers(stores.numbers, changes, clock).handlers(),
        **return_handlers(inventory, ReturnLabels(carriers, reference, stores.tracking, addressed), exchanges, credit),
        **regrouping.handlers(),
        SETTLE: Settling(changes).settle,
        SEND: sender.send,
        REROUTE: rerouting(ground.runs, settings.tenant),
    }
    effects = Effects(stores.orders, changes, handlers, clock)
    fulfillment = FulfillmentService(stores.orders, changes, effects, reference, stores.tracking)
    return_policies = ReturnPolicies(stores.documents)
    alert_policy, dry = (
        AlertPolicyService(stores.documents),
        DryPromises(reference, stores.inventory, clock, ground.room()),
    )
    seeing = Seeing(reference, stores.inventory, dry, clock)
    jeopardy = JeopardyWatch(
        orders=stores.orders,
        news=stores.news,
        changes=changes,
        effects=effects,
        policies=alert_policy,
        index=stores.alerts,
        seeing=seeing,
        clock=clock,
        delayed=delayed if tells else no_notice,
    )
    return OrderParts(
        orders=OrderService(
            stores.orders,
            stores.inventory,
            reference,
            clock,
            slots,
            beginnings=beginnings,
            settle=effects.settle,
            seal=customers.seal,
        ),
        tax_rates=tax_rates,
        payments=PaymentService(stores.orders, changes, effects, providers, tendering, clock, reports),
        store_credit=credit,
        stripe_events=_stripe_events(settings, providers, reports),
        order_policies=order_policies,
        cancellations=cancellations,
        regrouping=regrouping,
        modifications=Modifications(
            changes, cancellations, reference, order_policies, dry.options, clock, tax_rates.at
        ),
        changes=changes,
        effects=effects,
        fulfillment=fulfillment,
        releases=TimedReleases(stores.orders, fulfillment, clock, settings.release_after_minutes),
        waves=WaveService(stores.documents, fulfillment, clock, stores.answers),
        documents=DocumentService(changes, reference, addressed),
        carrier_events=CarrierEvents(
            changes, fulfillment, stores.tracking, stores.answers, ReturnParcels(changes).take
        ),
        customers=customers,
        notices=notices,
        links=links,
        public_url=terms.public_url.rstrip("/"),
        returns=ReturnService(
            changes,
            effects,
            return_policies,
            reference,
            stores.inventory,
            stores.orders,
            clock,
            ExchangeTerms(stores.orders, tax_rates.at, tendering),
        ),
        return_policies=return_policies,
        exceptions=Exceptions(
            orders=stores.orders,
            changes=changes,
            effects=effects,
            index=stores.alerts,
            seeing=seeing,
            dry=dry,
        ),
        jeopardy=jeopardy,
        alert_policy=alert_policy,
    )


def _following(revision: Revision, at: datetime) -> Revision:
    """Return a revision with the notices that it asks for, and with what an order in exchange tells."""
    return following(settling(revision, at), at)


def _handlers(labels: Labels, paying: PaymentEffects) -> dict[str, Handler]:
    """Return who does what orders ask to be done elsewhere, by kind of effect."""
    return {RELEASE: release_in_time, LABEL: labels.buy, VOID: labels.void, **paying.handlers()}


def _providers(settings: Settings, stores: Stores, clock: Clock, credit: StoreCredit) -> Mapping[str, PaymentProvider]:
    key = settings.stripe_key
    secret = None if key is None else key.get_secret_value()
    return payment_providers(stores.documents, clock, credit, secret, settings.stripe_url)


def _stripe_events(
    settings: Settings, providers: Mapping[str, PaymentProvider], reports: ProviderReports
) -> StripeEvents:
    secret, provider = settings.stripe_webhook_secret, providers.get(STRIPE)
    known = provider if isinstance(provider, StripeProvider) else None
    return StripeEvents(known, None if secret is None else secret.get_secret_value(), reports)


def _carriers(settings: Settings) -> Carriers:
    key = settings.easypost_key
    secret = None if key is None else key.get_secret_value()
    return carriers_by(settings.carrier_provider, secret, settings.easypost_url)


def _customers(settings: Settings, clock: Clock, stores: Stores) -> CustomerService:
    secret = settings.customers_secret
    wrapping = None if secret is None else secret.get_secret_value().encode()
    keys = CustomerKeys(stores.customers, settings.tenant, wrapping)
    return CustomerService(stores.customers, keys, stores.orders, clock)


def _poster(settings: Settings, clock: Clock) -> NoticePoster | None:
    if settings.notices_url is None or settings.notices_secret is None:
        return None
    targets = Targets(allow_private=settings.webhooks_allow_private)
    return NoticePoster(settings.notices_url, settings.notices_secret.get_secret_value(), targets, clock)
