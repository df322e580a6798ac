"""Tenants and queues for tests of what stands behind admission."""

from gateway.tenancy.fair_queue import FairQueue, QueueLimits
from gateway.tenancy.keys_file import TenantRecord
from gateway.tenancy.tenants import Tenant


def tenant(name: str = "", **limits) -> Tenant:
    return Tenant(name, name, name, TenantRecord(**limits))


def queue(places: int = 1000, waiting: int = 1000, **more) -> FairQueue:
    return FairQueue("tested", QueueLimits(places, waiting), **more)
