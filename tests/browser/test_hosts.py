"""A running server answers under its own names only, endpoints included."""

import urllib.error
import urllib.request

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/", "/map", "/aeviz/plotly.js", "/aeviz/blob/0"])
def test_another_name_gets_an_explanation_and_nothing_else(server, path):
    request = urllib.request.Request(f"{server.address}{path}", headers={"Host": "lab-7.example:8501"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403
    assert "make serve HOST=lab-7.example" in refused.value.read().decode()


def test_its_own_name_and_health_checks_are_answered(server):
    for path, host in (("/", "localhost"), ("/aeviz/plotly.js", "127.0.0.1:80"), ("/_stcore/health", "10.0.0.7")):
        request = urllib.request.Request(f"{server.address}{path}", headers={"Host": host})
        assert urllib.request.urlopen(request).status == 200
