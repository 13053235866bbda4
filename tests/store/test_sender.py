"""One letter to one receiver: signed by the specification, and patient within bounds."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from standardwebhooks import WebhookVerificationError

from larouter.store.sender import send, signature
from tests.receiver import Receiver, drip, free_port, hang

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = '{"type":"webhook.test","data":{"naïve":"模型"}}'


def post(receiver, **options):
    url = options.pop("url", receiver.url)
    return send(url, SECRET, "evt_1", BODY, int(time.time()), {}, **options)


def test_the_specifications_own_package_believes_the_signature():
    with Receiver() as receiver:
        assert post(receiver) == (204, None, 0)

        assert receiver.verified(SECRET) == {
            "type": "webhook.test", "data": {"naïve": "模型"},
        }  # fmt: skip
        with pytest.raises(WebhookVerificationError):
            receiver.verified("whsec_" + "A" * 32)
        receiver.raw[0] = receiver.raw[0].replace(b"test", b"best")
        with pytest.raises(WebhookVerificationError):
            receiver.verified(SECRET)
    head = {name.lower(): text for name, text in receiver.heads[0].items()}
    assert (head["webhook-id"], head["content-type"]) == ("evt_1", "application/json")
    assert head["user-agent"] == "LARouter"


def test_a_signature_known_from_the_specifications_package():
    said = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')

    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("answer", "error", "retry_s"),
    [
        (200, None, 0), (202, None, 0),
        (500, "127.0.0.1 answered 500", 0),
        (410, "127.0.0.1 answered 410", 0),
        ((503, {"Retry-After": "120"}), "127.0.0.1 answered 503", 120),
        ((429, {"Retry-After": "Mon, 23 Nov 2026 10:00:00 GMT"}), "127.0.0.1 answered 429", 0),
        ((302, {"Location": "/elsewhere"}),
         "127.0.0.1 answered 302, and a redirect is not followed", 0),
    ],
)  # fmt: skip
def test_what_a_receiver_answers(answer, error, retry_s):
    with Receiver(answer) as receiver:
        said = post(receiver)

        assert (said.error, said.retry_after_s) == (error, retry_s)
        assert said.status == (answer if isinstance(answer, int) else answer[0])
        assert len(receiver.got) == 1


def test_a_receiver_that_is_down_is_told():
    with Receiver() as receiver:
        said = post(receiver, url=f"http://127.0.0.1:{free_port()}/")

    assert said == (None, "127.0.0.1 cannot be reached", 0)


def test_a_receiver_that_hangs_is_not_waited_for():
    began = time.monotonic()
    with Receiver(hang(3)) as receiver:
        said = post(receiver, within_s=0.2)

        assert said == (None, "127.0.0.1 did not answer in time", 0)
        assert time.monotonic() - began < 2


def test_no_certificate_no_letter():
    with Receiver() as receiver:
        said = post(receiver, url=receiver.url.replace("http", "https"))

    assert said.status is None
    assert "certificate" in said.error or "cannot be reached" in said.error
    assert receiver.got == []


def test_a_proxy_is_for_others_than_this_machine():
    with Receiver() as proxy:
        proxies = {"https": f"http://127.0.0.1:{proxy.port}", "http": "http://127.0.0.1:1"}
        said = send("https://example.com/", SECRET, "evt_1", BODY, 1, proxies)
        assert said.error == "example.com cannot be reached through the proxy"
        assert post(proxy, url=proxy.url).error is None


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_name_that_nobody_can_have(host):
    said = send(f"https://{host}/", SECRET, "evt_1", BODY, 1, {})

    assert said.error == f"{host} cannot be reached"


@pytest.mark.slow
def test_as_the_server_runs_a_dripping_receiver_is_left_in_time():
    """Each byte comes in time, and the answer never."""
    with Receiver(drip) as receiver:
        code = (
            "from gevent import monkey; monkey.patch_all()\n"
            "from larouter.store.sender import send\n"
            f"print(send({receiver.url!r}, {SECRET!r}, 'evt_1', '{{}}', 1, {{}}, 0.4).error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30,
            check=False,
        )  # fmt: skip

    assert done.stdout == "127.0.0.1 did not answer in time\n", done.stderr
