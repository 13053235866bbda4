"""Where our own connections may go, and through which proxy."""

import pytest

from larouter.core.errors import BadRequest
from larouter.outbound import check_address, look_up, proxies_for


def check(url):
    check_address(url, what="a thing", example="https://host/thing")


@pytest.mark.parametrize(
    "url",
    ["https://example.com/a?b=c", "https://192.168.0.1:8443/", "http://localhost:9/",
     "http://127.0.0.2/", "http://[::1]:9/x"],
)  # fmt: skip
def test_https_and_this_machine_are_allowed(url):
    check(url)


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1/", "example.com", "https://", "https://me:it@example.com/", "https://[::1/",
     "https://example.com:0/", "https://example.com:http/", "https://169.254.169.254/",
     "http://169.254.169.254/", "https://[fe80::1%25eth0]/", "https://[::ffff:169.254.169.254]/",
     "https://[fd00:ec2::254]/", "https://100.100.100.200/"],
)  # fmt: skip
def test_what_is_no_such_address_is_refused(url):
    with pytest.raises(BadRequest, match="The address of a thing is like https://host/thing"):
        check(url)


@pytest.mark.parametrize("url", ["http://example.com/", "http://192.168.0.1/"])
def test_elsewhere_only_by_https(url):
    with pytest.raises(BadRequest, match="begins with https, except on this machine"):
        check(url)


@pytest.mark.parametrize("place", ["169.254.169.254", "fe80::1%eth0", "fd00:ec2::254"])
def test_a_name_that_leads_to_a_metadata_service_is_not_asked(place):
    def resolve(host, port, **_):
        return [(2, 1, 6, "", ("192.0.2.1", port)), (2, 1, 6, "", (place, port))]

    with pytest.raises(OSError, match="metadata addresses are not allowed"):
        look_up("rebound.example", resolve)


def test_a_name_of_this_machine_may_be_asked():
    look_up("localhost")


@pytest.mark.parametrize("no", ["", "example.com"])
def test_a_proxy_is_for_what_is_not_excepted(no):
    proxies = proxies_for("https://example.com/", {"https": "http://p:1", "no": no})

    assert proxies == ({} if no else {"https": "http://p:1"})


def test_this_machine_is_reached_without_a_proxy():
    assert proxies_for("https://127.0.0.1/", {"https": "http://p:1"}) == {}
