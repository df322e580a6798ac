import httpx2
from support.pictures import data_url, png
from support.processes import Service
from support.scripted import ScriptedServer


def test_solve_through_scripted_services(
    gateway: Service, captioner: ScriptedServer, reasoner: ScriptedServer
) -> None:
    body = {"question": "How high?", "images": [data_url(png("1"))]}
    answer = httpx2.post(f"{gateway.url}/v1/solve", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["answer"] == "42"
    assert len(captioner.perceptions) == 1
    assert "bar of height 42" in reasoner.chats[0].json["messages"][1]["content"]
