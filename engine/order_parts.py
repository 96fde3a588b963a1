"""The services around an order's life, from capture to return, and how they are handed to one another.

Half of bootstrap.py, by itself: picked here are payment providers, carriers, and who does what orders ask to be done
elsewhere. Not here: what these stand on (`Ground`), which bootstrap.py picks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
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
from engine.fulfillment.addresses import Address, addresses_under
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
from engine.notices.terms import NoticeTerms, notice_terms
from engine.notices.wording import NoticeTemplates
from engine.orders.beginning import OrderBeginnings
from engine.orders.breaking import BROKEN, BrokenStock
from engine.orders.cancellations import Cancellations
from engine.orders.changing import OrderChanges
from engine.orders.checking.service import OrderPolicies
from engine.orders.effecting import Effects, Handler
from engine.orders.holding import release_in_time
from engine.orders.model import Order
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What several of the services share."""

    terms: NoticeTerms
    changes: OrderChanges
    policies: OrderPolicies
    tax_rates: TaxRates
    customers: CustomerService
    credit: StoreCredit
    providers: Mapping[str, PaymentProvider]
    tendering: Tendering
    beginnings: OrderBeginnings
    links: Links
    notices: NoticeTemplates
    carriers: Carriers
    addressed: Callable[[Order], Awaitable[Address]]
    """Where orders go."""
    cancellations: Cancellations
    regrouping: Regrouping
    alert_policy: AlertPolicyService
    dry: DryPromises
    seeing: Seeing

    @property
    def tells(self) -> bool:
        """Whether customers are told anything."""
        return self.terms.mailer is not None or self.terms.poster is not None


def order_parts(ground: Ground) -> OrderParts:
    """Return the services, each with the parts it needs."""
    settings, clock, stores, reference = ground.settings, ground.clock, ground.stores, ground.reference
    common = _common(ground)
    changes = common.changes
    effects = Effects(stores.orders, changes, _handlers(ground, common), clock)
    fulfillment = FulfillmentService(stores.orders, changes, effects, reference, stores.tracking)
    return_policies, reports = ReturnPolicies(stores.documents), ProviderReports(changes, stores.documents)
    return OrderParts(
        orders=_order_service(ground, common, effects),
        tax_rates=common.tax_rates,
        payments=PaymentService(stores.orders, changes, effects, common.providers, common.tendering, clock, reports),
        store_credit=common.credit,
        stripe_events=_stripe_events(settings, common.providers, reports),
        order_policies=common.policies,
        cancellations=common.cancellations,
        regrouping=common.regrouping,
        modifications=_modifications(ground, common),
        changes=changes,
        effects=effects,
        fulfillment=fulfillment,
        releases=TimedReleases(stores.orders, fulfillment, clock, settings.release_after_minutes),
        waves=WaveService(stores.documents, fulfillment, clock, stores.answers),
        documents=DocumentService(changes, reference, common.addressed),
        carrier_events=CarrierEvents(
            changes, fulfillment, stores.tracking, stores.answers, ReturnParcels(changes).take
        ),
        customers=common.customers,
        notices=common.notices,
        links=common.links,
        public_url=common.terms.public_url.rstrip("/"),
        returns=_return_service(ground, common, effects, return_policies),
        return_policies=return_policies,
        exceptions=Exceptions(
            orders=stores.orders,
            changes=changes,
            effects=effects,
            index=stores.alerts,
            seeing=common.seeing,
            dry=common.dry,
        ),
        jeopardy=_watch(ground, common, effects),
        alert_policy=common.alert_policy,
    )


def _common(ground: Ground) -> _Common:
    """Return what several of the services share."""
    settings, clock, stores, reference = ground.settings, ground.clock, ground.stores, ground.reference
    terms = notice_terms(settings, _poster(settings, clock))
    tells = terms.mailer is not None or terms.poster is not None
    changes = OrderChanges(stores.orders, clock, _following if tells else settling)
    policies, customers = OrderPolicies(stores.documents), _customers(settings, clock, stores)
    credit = StoreCredit(stores.documents, clock, customers.root)
    providers = _providers(settings, stores, clock, credit)
    tax_rates = TaxRates(stores.documents)
    tendering = Tendering(check_card_provider(settings.card_provider, providers), tuple(providers))
    begins = [with_tenders(tendering), *([beginning] if tells else [])]
    recent = KeyedRecentBook(stores.recent, customers.root)
    dry = DryPromises(reference, stores.inventory, clock, ground.room())
    return _Common(
        terms=terms,
        changes=changes,
        policies=policies,
        tax_rates=tax_rates,
        customers=customers,
        credit=credit,
        providers=providers,
        tendering=tendering,
        beginnings=OrderBeginnings(policies, recent, tax_rates.at, begins),
        links=Links(settings.tenant, customers.root),
        notices=NoticeTemplates(stores.documents),
        carriers=_carriers(settings),
        addressed=addresses_under(customers.seal),
        cancellations=Cancellations(changes, stores.inventory, reference, policies, ground.slots),
        regrouping=Regrouping(stores.orders, changes, ground.inventory, reference, policies, clock, customers.seal),
        alert_policy=AlertPolicyService(stores.documents),
        dry=dry,
        seeing=Seeing(reference, stores.inventory, dry, clock),
    )


def _order_service(ground: Ground, common: _Common, effects: Effects | None) -> OrderService:
    """Return what captures orders; without effects, what they ask for is done by who captures them."""
    stores = ground.stores
    return OrderService(
        stores.orders,
        stores.inventory,
        ground.reference,
        ground.clock,
        ground.slots,
        beginnings=common.beginnings,
        settle=None if effects is None else effects.settle,
        seal=common.customers.seal,
    )


def _modifications(ground: Ground, common: _Common) -> Modifications:
    return Modifications(
        common.changes,
        common.cancellations,
        ground.reference,
        common.policies,
        common.dry.options,
        ground.clock,
        common.tax_rates.at,
    )


def _return_service(ground: Ground, common: _Common, effects: Effects, policies: ReturnPolicies) -> ReturnService:
    stores = ground.stores
    return ReturnService(
        common.changes,
        effects,
        policies,
        ground.reference,
        stores.inventory,
        stores.orders,
        ground.clock,
        ExchangeTerms(stores.orders, common.tax_rates.at, common.tendering),
    )


def _watch(ground: Ground, common: _Common, effects: Effects) -> JeopardyWatch:
    return JeopardyWatch(
        orders=ground.stores.orders,
        news=ground.stores.news,
        changes=common.changes,
        effects=effects,
        policies=common.alert_policy,
        index=ground.stores.alerts,
        seeing=common.seeing,
        clock=ground.clock,
        delayed=delayed if common.tells else no_notice,
    )


def _handlers(ground: Ground, common: _Common) -> dict[str, Handler]:
    """Return who does what orders ask to be done elsewhere, by kind of effect."""
    stores, changes, reference = ground.stores, common.changes, ground.reference
    labels = Labels(common.carriers, reference, stores.tracking, common.addressed)
    return_labels = ReturnLabels(common.carriers, reference, stores.tracking, common.addressed)
    capturing = _order_service(ground, common, None)
    exchanges = Exchanges(capturing, changes, ground.promising, ground.inventory, common.customers.seal)
    sender = NoticeSender(
        customers=common.customers,
        templates=common.notices,
        reference=reference,
        links=common.links,
        clock=ground.clock,
        terms=common.terms,
    )
    return {
        RELEASE: release_in_time,
        LABEL: labels.buy,
        VOID: labels.void,
        **PaymentEffects(common.providers, stores.inventory, common.cancellations.cancel).handlers(),
        BROKEN: BrokenStock(ground.inventory).keep,
        **BillNumbers(stores.numbers, changes, ground.clock).handlers(),
        **return_handlers(ground.inventory, return_labels, exchanges, common.credit),
        **common.regrouping.handlers(),
        SETTLE: Settling(changes).settle,
        SEND: sender.send,
        REROUTE: rerouting(ground.runs, ground.settings.tenant),
    }


def _following(revision: Revision, at: datetime) -> Revision:
    """Return a revision with the notices that it asks for, and with what an order in exchange tells."""
    return following(settling(revision, at), at)


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
