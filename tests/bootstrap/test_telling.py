"""Who is told, as a process is built."""

from larouter.bootstrap import bootstrap
from larouter.config import read_settings


def test_a_process_knows_its_desktop_and_its_outbox(tmp_path):
    services = bootstrap(read_settings({"LAROUTER_HOME": str(tmp_path), "LAROUTER_NOTIFY": "off"}))
    try:
        telling = services.telling

        assert telling.desktop.is_there is False
        assert telling.webhooks.due() == []
        assert telling.postman.start_round() == []
        assert telling.unusual.look() == 0
        assert telling.alerts.claim_new() == []
    finally:
        services.close()
