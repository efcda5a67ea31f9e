"""What questions and requests take for granted is told, what they only suppose is not."""

from __future__ import annotations

import pytest

from rubber_duck.memory.distil import statements


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("My API runs on port 8443, how do I open the firewall?", "My API runs on port 8443"),
        ("I'm using Python 3.12 with Poetry - why does this fail?", "I'm using Python 3.12 with Poetry"),
        ("Our mascot is a badger named Rufus and why is the build red?", "Our mascot is a badger named Rufus"),
        ("In our team we use Helm, how do I roll back?", "In our team we use Helm"),
        ("How do I open the firewall, my API runs on port 8443?", "my API runs on port 8443"),
        ("Can you restart the worker (our host is heron-3)?", "our host is heron-3"),
        ("Show me the logs, my service is called heron.", "my service is called heron"),
        ("Which port do I open since my API listens on 8443?", "my API listens on 8443"),
        ("Did you know that my cat is called Tofu?", "my cat is called Tofu"),
        ("Have I told you that the office moved to Graz?", "the office moved to Graz"),
        ("Is it a problem that our cluster runs in eu-west-3?", "our cluster runs in eu-west-3"),
        (
            "How do I connect to our Postgres on db.internal:5433?",
            "How do I connect to our Postgres on db.internal:5433?",
        ),
        ("The deploy of kestrel failed again, can you look?", "The deploy of kestrel failed again"),
        ("Meine API läuft auf Port 8443, wie öffne ich die Firewall?", "Meine API läuft auf Port 8443"),
        ("Notre serveur s'appelle Pluton, comment le redémarrer ?", "Notre serveur s'appelle Pluton"),
    ],
)
def test_what_a_question_takes_for_granted_is_told(said: str, told: str) -> None:
    assert [each.text for each in statements(said, "ok")] == [told]


@pytest.mark.parametrize(
    "said",
    [
        "If my API runs on port 80, how do I open it?",
        "With Docker, how do I mount a volume?",
        "In Python 3.12, how do I sort a list?",
        "What is our API's port?",
        "Does our API run on port 8443?",
        "Do you know how our API starts?",
        "Which of Ann and Bob leads Falcon?",
        "Where do I put the file, in src or in lib?",
        "What did Ann say about the server, the port and the host?",
        "Should we use Redis or Postgres, and why?",
        "How many days are kept: seven or eight?",
        "Please fix the test, it is red.",
        "Hi Bob, how are you?",
    ],
)
def test_what_is_only_asked_or_supposed_is_not(said: str) -> None:
    assert statements(said, "ok") == []
