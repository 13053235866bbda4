"""`larouter feedback` and `larouter projects learning`: thumbs, and what came of them."""

from __future__ import annotations

from urllib.parse import quote

import click

from larouter.cli.calls import bearer_for_calls, call


@click.command()
@click.argument("request_id")
@click.argument("thumb", type=click.Choice(["up", "down"]))
def feedback(request_id: str, thumb: str) -> None:
    """Say whether the answer REQUEST_ID (its x-request-id) was good: up or down."""
    body = {"request_id": request_id, "score": thumb}
    noted = call("POST", "/v1/feedback", body, bearer=bearer_for_calls())
    click.echo(f"Noted. The project's bias is {noted['bias']:+.2f} now.")


@click.command()
@click.argument("name")
@click.option("--reset", is_flag=True, help="Forget the feedback, and use the shipped model again.")
def learning(name: str, reset: bool) -> None:
    """Say what project NAME has taught the classifier."""
    path = f"/api/projects/{quote(name, safe='')}/learning"
    if reset:
        forgotten = call("DELETE", path)["forgotten"]
        click.echo(f"Feedback forgotten: {forgotten}. The shipped model decides for {name}.")
        return
    click.echo(call("GET", path)["text"])
