"""Everything that can go wrong with a request, as one tree: each class has a status and a code.

    LARouterError
    ├── BadRequest 400 ── ContextExceeded · CannotCarry
    ├── Unauthorized 401     Forbidden 403     NotFound 404 ── ModelNotFound
    ├── MethodNotAllowed 405 RequestTimeout 408  Conflict 409    TooLarge 413
    ├── UriTooLong 414       UnsupportedMedia 415  VersionUnsupported 505  DiskFull 507
    ├── Misdirected 421      Unprocessable 422     ProviderNotConfigured 424
    ├── TooManyRequests 429 ── BudgetExceeded ── Unbounded 400      HeadersTooLarge 431
    ├── UpstreamError 502 ── UpstreamRefused (the provider's own 4xx) · UpstreamTimeout 504
    └── Unavailable 503 ── EngineDown ── EngineBusy 429      StorageDown ── DatabaseDamaged

Raise the most specific one; the door turns it into the caller's JSON shape, once.
"""

from __future__ import annotations


class LARouterError(Exception):
    """`message` is for the client and says what to do; the cause is chained for the log."""

    status = 500
    code = "internal_error"
    type = "api_error"
    says = ""
    """The message of an error that always says the same."""

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        self.message = message or self.says
        super().__init__(self.message)
        self.code = code or self.code
        self.param = param
        self.retry_after_s = retry_after_s


class BadRequest(LARouterError):
    status = 400
    code = "invalid_request"
    type = "invalid_request_error"


class ContextExceeded(BadRequest):
    code = "context_length_exceeded"


class CannotCarry(BadRequest):
    """The request holds what the chosen model's wire has no words for; another may have them."""

    code = "unsupported_by_model"


class Unauthorized(LARouterError):
    status = 401
    code = "invalid_api_key"
    type = "authentication_error"


class Forbidden(LARouterError):
    status = 403
    code = "forbidden"
    type = "permission_error"


class NotFound(LARouterError):
    status = 404
    code = "not_found"
    type = "invalid_request_error"


class ModelNotFound(NotFound):
    code = "model_not_found"


class MethodNotAllowed(LARouterError):
    status = 405
    code = "method_not_allowed"
    type = "invalid_request_error"


class RequestTimeout(LARouterError):
    status = 408
    code = "request_timeout"
    type = "invalid_request_error"


class Conflict(LARouterError):
    status = 409
    code = "conflict"
    type = "invalid_request_error"


class TooLarge(LARouterError):
    status = 413
    code = "request_too_large"
    type = "invalid_request_error"


class UriTooLong(LARouterError):
    status = 414
    code = "uri_too_long"
    type = "invalid_request_error"


class UnsupportedMedia(LARouterError):
    status = 415
    code = "unsupported_media_type"
    type = "invalid_request_error"


class Misdirected(LARouterError):
    status = 421
    code = "misdirected_request"
    type = "invalid_request_error"


class Unprocessable(LARouterError):
    status = 422
    code = "unprocessable"
    type = "invalid_request_error"


class ProviderNotConfigured(LARouterError):
    status = 424
    code = "provider_not_configured"
    type = "invalid_request_error"


class TooManyRequests(LARouterError):
    status = 429
    code = "rate_limit_exceeded"
    type = "rate_limit_error"


class BudgetExceeded(TooManyRequests):
    """A hard budget has too little left for this call (TRUST B4). Repeating it does not help."""

    code = "insufficient_quota"
    type = "insufficient_quota"


class Unbounded(BudgetExceeded):
    """Nobody can say what this call may cost at most; a hard budget has to know (TRUST B5)."""

    status = 400
    code = "unbounded_cost"
    type = "invalid_request_error"


class HeadersTooLarge(LARouterError):
    status = 431
    code = "headers_too_large"
    type = "invalid_request_error"


class DiskFull(LARouterError):
    """What was asked for does not fit on the disk."""

    status = 507
    code = "disk_full"
    type = "invalid_request_error"


class VersionUnsupported(LARouterError):
    status = 505
    code = "http_version_unsupported"
    type = "invalid_request_error"


class UpstreamError(LARouterError):
    """A provider failed. `sent` says whether it may have done (and billed) the work (TRUST B9),
    `retryable` whether the same model may be asked once more (TRUST A2)."""

    status = 502
    code = "upstream_error"

    def __init__(
        self,
        message: str = "",
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: int | None = None,
        sent: bool = True,
        retryable: bool = False,
        status: int | None = None,
        type: str | None = None,
    ) -> None:
        super().__init__(message, code=code, param=param, retry_after_s=retry_after_s)
        self.sent = sent
        self.retryable = retryable
        self.status = status or self.status
        self.type = type or self.type


class UpstreamRefused(UpstreamError):
    """The provider understood and said no: its status and its words reach the client."""


class UpstreamTimeout(UpstreamError):
    status = 504
    code = "upstream_timeout"


class Unavailable(LARouterError):
    status = 503
    code = "unavailable"


class EngineDown(Unavailable):
    code = "engine_down"


class EngineBusy(EngineDown):
    """There is no room in memory for the model now, or too many wait for it (TRUST A5)."""

    status = 429
    code = "engines_busy"
    type = "rate_limit_error"


class StorageDown(Unavailable):
    code = "storage_unavailable"


class DatabaseDamaged(StorageDown):
    """Something in the database's file is not as it was written: it is left as it is (TRUST A9)."""

    code = "database_damaged"
    says = (
        "LARouter's database is damaged, and was left as it is. Stop LARouter; larouter db restore "
        "brings the last backup back, and larouter db list shows all of them."
    )
