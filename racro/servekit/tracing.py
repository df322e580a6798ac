"""Traces by OpenTelemetry: off, and free, until the standard variables name a collector.

Spans hold names, numbers and outcomes, never a text, an image or a key. Those of models follow the
GenAI semantic conventions: github.com/open-telemetry/semantic-conventions-genai
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import TracebackType
from typing import Literal

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue
from starlette.types import Scope

from racro.base.wrong_settings import WrongSettingsError
from racro.contracts.errors import RacroError
from racro.contracts.perception import Usage
from racro.servekit.context import header
from racro.servekit.exchange import Exchange

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
# For a child that would speak gRPC otherwise.
PROTOCOL = {_PROTOCOLS[0]: _PROTOCOL}
_INTERNAL_ERROR = 500
# The conventions' word for OpenAI's chat API, whoever serves it, and for what is asked of it.
PROVIDER = "openai"
CHAT = "chat"

_NO_SPAN = nullcontext(INVALID_SPAN)
_propagator = TraceContextTextMapPropagator()
_tracer: Tracer | None = None


def endpoint() -> str | None:
    """Where spans go, a URL for OTLP over HTTP; None: nowhere."""
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    traces, all_signals = map(os.environ.get, _ENDPOINTS)
    if traces or not all_signals:
        return traces or None
    return all_signals.rstrip("/") + "/v1/traces"


@contextmanager
def tracing(service: str) -> Iterator[None]:
    """Trace what happens inside; what was not sent yet is sent at the end.

    Raises WrongSettingsError where a variable asks for what is not there.
    """
    if endpoint() is None:
        yield
        return
    for variable in _PROTOCOLS:
        if os.environ.get(variable, _PROTOCOL) != _PROTOCOL:
            raise WrongSettingsError(f"{variable}: {_PROTOCOL} is the one that is spoken here")
    # Imported only here: who does not trace pays nothing.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    name = os.environ.get("OTEL_SERVICE_NAME", f"racro-{service}")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    global _tracer  # noqa: PLW0603 - a process has one, and every request would carry it otherwise
    _tracer = provider.get_tracer("racro")
    try:
        yield
    finally:
        _tracer = None
        provider.shutdown()


def step(name: str, kind: SpanKind = SpanKind.INTERNAL) -> AbstractContextManager[Span]:
    """A part of a traced request's way."""
    return _inside(name, kind, {})


def generation(model: str) -> AbstractContextManager[Span]:
    """A call of a model over OpenAI's chat API."""
    attributes = {
        "gen_ai.operation.name": CHAT,
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": model,
    }
    return _inside(f"{CHAT} {model}", SpanKind.CLIENT, attributes)


def record_usage(span: Span, usage: Usage) -> None:
    if usage.is_known and span.is_recording():
        span.set_attributes(
            {
                "gen_ai.usage.input_tokens": usage.prompt_tokens,
                "gen_ai.usage.output_tokens": usage.completion_tokens,
            }
        )


def trace_id() -> str | None:
    """The id of the trace that what happens now is recorded in, 32 hexadecimal digits, if any."""
    return None if _tracer is None else _id_of(get_current_span())


def exemplar(trace: str | None) -> dict[str, str] | None:
    """Return what a histogram notes beside a value, so that a trace is found by it."""
    return None if trace is None else {"trace_id": trace}


def _id_of(span: Span) -> str | None:
    return format_trace_id(span.get_span_context().trace_id) if span.is_recording() else None


def trace_headers() -> dict[str, str]:
    """What tells an upstream whose span its own belong to."""
    carrier: dict[str, str] = {}
    if _tracer is not None:
        _propagator.inject(carrier)
    return carrier


def _inside(
    name: str, kind: SpanKind, attributes: Mapping[str, AttributeValue]
) -> AbstractContextManager[Span]:
    if _tracer is None or not get_current_span().is_recording():
        return _NO_SPAN
    return _Recorded(_tracer.start_span(name, None, kind, attributes))


class _Recorded:
    """The current span for a while. The API's own context manager costs as much as the span."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def __enter__(self) -> Span:
        self._token = attach(set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, _: object, error: BaseException | None, __: TracebackType | None
    ) -> Literal[False]:
        detach(self._token)
        if error is not None:
            _fail(self._span, error_type(error))
        self._span.end()
        return False


def error_type(error: BaseException) -> str:
    """Return what spans and metrics tell of an error.

    Not its message or traceback: those of others may hold texts.
    """
    return error.code if isinstance(error, RacroError) else type(error).__name__


def _fail(span: Span, error: str) -> None:
    span.set_attribute("error.type", error)
    span.set_status(StatusCode.ERROR)


def server_span(exchange: Exchange) -> AbstractContextManager[object]:
    """The span of a request, below its client's if it sends one."""
    if _tracer is None:
        return _NO_SPAN
    scope = exchange.scope
    span = _tracer.start_span(scope["method"], _sent_with(scope), SpanKind.SERVER)
    return _ServerSpan(span, exchange)


class _ServerSpan(_Recorded):
    """The span of a request, described when it has been answered."""

    def __init__(self, span: Span, exchange: Exchange) -> None:
        super().__init__(span)
        self._exchange = exchange
        exchange.trace_id = _id_of(span)

    def __exit__(
        self, kind: object, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        if self._span.is_recording():
            _describe(self._span, self._exchange)
        return super().__exit__(kind, error, traceback)


def _sent_with(scope: Scope) -> Context:
    parent = header(scope["headers"], "traceparent")
    if parent is None:
        return Context()
    state = header(scope["headers"], "tracestate") or ""
    return _propagator.extract({"traceparent": parent, "tracestate": state}, Context())


def _describe(span: Span, exchange: Exchange) -> None:
    method, status = exchange.scope["method"], exchange.status
    span.update_name(f"{method} {exchange.route}")
    span.set_attributes(
        {
            "http.request.method": method,
            "http.route": exchange.route,
            "http.response.status_code": status,
            "racro.request_id": exchange.id,
        }
    )
    if status >= _INTERNAL_ERROR:
        _fail(span, str(status))
