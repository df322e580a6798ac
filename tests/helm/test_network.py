"""Who reaches whom: exactly the flows of the table in docs/kubernetes.md, and no others."""

import re
from itertools import product

import pytest
from hypothesis import given, strategies

from gateway.images.fetch import AddressPolicy
from gateway.settings import FetchSection
from support.chart import NAMESPACE, PROFILES, RELEASE, ROOT, Release, Values, merged
from support.network import Host, Network

TABLE_ROW = re.compile(r"\| `(\w+)` \| `(\w+)` \| ([\d, ]+) \|")
PORTS = (22, 53, 80, 443, 4318, 6379, 8000, 8001, 8002, 8080, 9090)
REASONER = {"name": "default", "settings": {"model": "m"}}
TRACED = {
    "tracing": {
        "endpoint": "http://collector.tracing:4318",
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tracing"}}}],
    }
}
OPEN = {"gateway": {"tenants": {"open": True}}}
FROM_HUB = merged(merged(OPEN, TRACED), {"modelDefaults": {"fromHub": True}})


def pod(component: str, *, namespace: str = NAMESPACE, instance: str = RELEASE) -> Host:
    return Host(
        "10.1.0.7",
        namespace,
        {
            "app.kubernetes.io/name": "racro",
            "app.kubernetes.io/instance": instance,
            "app.kubernetes.io/component": component,
        },
    )


OURS = {
    "gateway": pod("gateway"),
    "captioner": pod("captioner"),
    "reasoner": pod("reasoner-default"),
    "redis": pod("redis"),
}
OTHERS = {
    "ingress": Host("10.1.0.8", "ingress-nginx", {"app": "controller"}),
    "prometheus": Host("10.1.0.9", "monitoring", {"app": "prometheus"}),
    "collector": Host("10.1.0.10", "tracing", {"app": "collector"}),
    "dns": Host("10.1.0.11", "kube-system", {"k8s-app": "kube-dns"}),
    "node_dns": Host("169.254.20.10"),
    "public": Host("93.184.215.14"),
    "public_v6": Host("2606:2800:21f:cb07:6820:80da:af6b:8b2c"),
}
STRANGERS = {
    "neighbour": Host("10.1.0.12", NAMESPACE, {"app": "other"}),
    "other namespace": Host("10.1.0.13", "default", {"app": "other"}),
    "another release": pod("gateway", instance="other"),
    "namesake elsewhere": pod("gateway", namespace="default"),
    "kube-system": Host("10.1.0.14", "kube-system", {"k8s-app": "kube-proxy"}),
}
NOT_PUBLIC = {
    name: Host(name)
    for name in (
        "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "127.0.0.1", "0.0.0.0",
        "100.64.0.1", "169.254.169.254", "192.0.0.192", "198.18.0.1", "168.63.129.16", "224.0.0.1",
        "::1", "::", "fd00:ec2::254", "fe80::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
    )
}  # fmt: skip
HOSTS = OURS | OTHERS | STRANGERS | NOT_PUBLIC


def network(values: Values) -> Network:
    return Network(Release(values).of("NetworkPolicy"))


PUBLIC_EGRESS = network(OPEN)


def flows(release: Release) -> set[tuple[str, str, int]]:
    """All that ours begin, and all that reaches them. What others do among themselves is theirs."""
    policies = Network(release.of("NetworkPolicy"))
    return {
        (source, target, port)
        for source, target, port in product(HOSTS, HOSTS, ports(release))
        if source != target
        and {source, target} & OURS.keys()
        and policies.lets(HOSTS[source], HOSTS[target], port)
    }


def ports(release: Release) -> set[int]:
    """Usual ones, and each that a policy names, with its neighbour."""
    named = {int(port) for port in re.findall(r"'port': (\d+)", str(release.of("NetworkPolicy")))}
    return {*PORTS, *named, *(port + 1 for port in named)}


@pytest.fixture(scope="module")
def documented() -> set[tuple[str, str, int]]:
    text = (ROOT / "docs/kubernetes.md").read_text()
    rows = TABLE_ROW.findall(text)
    assert rows
    return {
        (source, target, int(port))
        for source, target, ports in rows
        for port in ports.split(",")
    }  # fmt: skip


def but(flows: set[tuple[str, str, int]], *left_out: str) -> set[tuple[str, str, int]]:
    return {flow for flow in flows if not set(left_out) & set(flow)}


def with_v6(flows: set[tuple[str, str, int]]) -> set[tuple[str, str, int]]:
    """And with the other place where names are looked up."""
    more = {"public": "public_v6", "dns": "node_dns"}
    return flows | {(source, more[to], port) for source, to, port in flows if to in more}


def test_with_all_that_opens_a_way_exactly_the_tables_flows_are_let_through(documented) -> None:
    assert flows(Release(FROM_HUB)) == with_v6(documented)


def test_by_default_models_have_no_way_out_and_nobody_reaches_a_collector(documented) -> None:
    closed = {
        flow
        for flow in but(documented, "collector")
        if flow[0] == "gateway" or flow[1] != "public"
    }  # fmt: skip
    assert flows(Release(OPEN)) == with_v6(closed)


def test_names_are_looked_up_over_udp_and_nothing_else_is() -> None:
    policies = network(FROM_HUB)
    over_udp = {
        (source, target, port)
        for source, target, port in product(HOSTS, HOSTS, PORTS)
        if {source, target} & OURS.keys()
        and policies.lets(HOSTS[source], HOSTS[target], port, "UDP")
    }
    looking_up = product(("gateway", "captioner", "reasoner"), ("dns", "node_dns"))
    assert over_udp == {(source, target, 53) for source, target in looking_up}


def test_without_public_egress_the_gateway_stays_inside(documented) -> None:
    release = Release(merged(FROM_HUB, {"networkPolicy": {"publicEgress": False}}))
    inside = {flow for flow in documented if flow[:2] != ("gateway", "public")}
    assert flows(release) == with_v6(inside)


@pytest.mark.parametrize("name", ["ingressFrom", "prometheusFrom"])
def test_a_list_that_is_empty_lets_nobody_in(documented, name: str) -> None:
    release = Release(merged(FROM_HUB, {"networkPolicy": {name: []}}))
    gone = {"ingressFrom": "ingress", "prometheusFrom": "prometheus"}[name]
    assert flows(release) == with_v6(but(documented, gone))


def test_both_empty_let_nobody_in(documented) -> None:
    nobody = {"networkPolicy": {"ingressFrom": [], "prometheusFrom": []}}
    expected = with_v6(but(documented, "ingress", "prometheus"))
    assert flows(Release(merged(FROM_HUB, nobody))) == expected


def test_what_runs_elsewhere_leaves_no_way_to_what_is_not_there() -> None:
    values = merged(
        OPEN,
        {
            "captioner": {"url": "https://eyes.example.com"},
            "reasoners": [{"name": "a", "urls": ["https://llm.example.com/v1"], "model": "m"}],
            "redis": {"bundled": False},
        },
    )
    assert flows(Release(values)) == {
        ("ingress", "gateway", 8000),
        ("prometheus", "gateway", 8000),
        ("gateway", "dns", 53),
        ("gateway", "node_dns", 53),
        *(("gateway", to, port) for to in ("public", "public_v6") for port in (80, 443)),
    }


def test_reasoners_do_not_reach_one_another() -> None:
    values = merged(OPEN, {"reasoners": [REASONER, REASONER | {"name": "small"}]})
    policies, small = network(values), pod("reasoner-small")
    assert policies.lets(OURS["gateway"], small, 8002)
    assert policies.lets(OURS["gateway"], OURS["reasoner"], 8002)
    assert not any(policies.lets(OURS["reasoner"], small, port) for port in PORTS)
    assert not any(policies.lets(small, OURS["captioner"], port) for port in PORTS)


def test_nobody_but_the_gateway_is_taken_in_by_models_and_redis_whoever_might_send() -> None:
    policies = network(OPEN)
    for name, port in (("captioner", 8001), ("reasoner", 8002), ("redis", 6379)):
        taken = {source for source in HOSTS if policies.takes(OURS[name], HOSTS[source], port)}
        assert taken - {"prometheus"} == {"gateway"}
    assert not policies.takes(OURS["redis"], HOSTS["prometheus"], 6379)


def test_another_releases_pods_are_not_touched() -> None:
    policies = network(OPEN)
    for host in (STRANGERS["another release"], STRANGERS["neighbour"]):
        assert not policies.covers(host, "Ingress")
        assert not policies.covers(host, "Egress")


WAYS_IN = {
    "Ingress": Host("10.1.0.8", "ingress-nginx", {"app": "controller"}),
    "HTTPRoute": Host("10.1.0.23", "gateways", {"app": "proxy"}),
}


@pytest.mark.parametrize("profile", ["gpus", "elsewhere"])
def test_who_leads_to_the_gateway_is_let_in(profile: str) -> None:
    release = Release(PROFILES[profile])
    policies = Network(release.of("NetworkPolicy"))
    ways = [host for kind, host in WAYS_IN.items() if release.of(kind)]
    assert ways
    assert all(policies.lets(host, OURS["gateway"], 8000) for host in ways)


def test_every_pod_is_covered_both_ways(release: Release) -> None:
    policies = Network(release.of("NetworkPolicy"))
    pods = [deployment["spec"]["template"] for deployment in release.of("Deployment")]
    assert pods
    for template in pods:
        host = Host("10.1.0.7", NAMESPACE, template["metadata"]["labels"])
        assert policies.covers(host, "Ingress")
        assert policies.covers(host, "Egress")


# Addresses for the names that the values files give to what is elsewhere.
ELSEWHERE = {
    "cache.example.com": Host("10.20.0.5"),
    "vision.engines": Host("10.1.0.20", "engines", {}),
    "r1-a.engines": Host("10.1.0.21", "engines", {}),
    "r1-b.engines": Host("10.1.0.22", "engines", {}),
    "llm.example.com": Host("93.184.215.14"),
    "collector.monitoring": OTHERS["prometheus"],
    # Asked by whoever has it in his environment; the values say how to reach it.
    "proxy.example.com": Host("10.20.0.6"),
}
ADDRESS = re.compile(r"(https?|rediss?)://([\w.-]+)(?::(\d+))?")


def test_everybody_reaches_whomever_his_settings_name(release: Release) -> None:
    policies = Network(release.of("NetworkPolicy"))
    components = [
        deployment["metadata"]["labels"]["app.kubernetes.io/component"]
        for deployment in release.of("Deployment")
    ]
    asked = 0
    for component in set(components) - {"redis"}:
        environment = release.named("Deployment", component)["spec"]["template"]["spec"][
            "containers"
        ][0]["env"]
        text = str(release.settings(component)) + str(
            [entry for entry in environment if entry["name"].startswith("OTEL")]
        )
        for scheme, name, port in ADDRESS.findall(text):
            prefix = f"{RELEASE}-racro-"
            target = pod(name.removeprefix(prefix)) if name.startswith(prefix) else ELSEWHERE[name]
            number = int(port or {"https": 443, "http": 80}[scheme])
            assert policies.lets(pod(component), target, number), (component, name, number)
            asked += 1
    assert asked


def test_what_a_profile_adds_opens_no_more_than_it_says() -> None:
    policies = network(PROFILES["gpus"])
    assert policies.lets(OURS["gateway"], Host("10.20.0.5"), 6379)
    assert not policies.lets(OURS["gateway"], Host("10.20.0.5"), 443)
    assert not policies.lets(OURS["captioner"], Host("10.20.0.5"), 6379)


@given(strategies.ip_addresses())
def test_no_address_is_reached_that_the_gateway_itself_refuses(address) -> None:
    """The second wall stands where the first one does."""
    if PUBLIC_EGRESS.lets(OURS["gateway"], Host(str(address)), 443):
        assert AddressPolicy(FetchSection()).allows(address)
