"""The page that a person finds at the server's address: what runs here and how to call it."""

from html import escape

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from foveal import __version__

router = APIRouter(include_in_schema=False)

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Foveal</title>
<style>
  body {{ font: 16px/1.6 system-ui, sans-serif; max-width: 56rem; margin: 3rem auto; padding: 0 1rem; color: #1d2733 }}
  pre {{ background: #f2f5f8; padding: 1rem; border-radius: .5rem; overflow-x: auto }}
  a {{ color: #0b5fad }}
</style>
<h1>Foveal {version}</h1>
<p>This server answers the Custom Vision API. Point a program written for Azure Custom Vision at it:</p>
<pre>ENDPOINT = "{base}"
training_key = "…"    # foveal keys show</pre>
<p>With Microsoft's Python SDK:</p>
<pre>from azure.cognitiveservices.vision.customvision.training import CustomVisionTrainingClient
from msrest.authentication import ApiKeyCredentials

trainer = CustomVisionTrainingClient(ENDPOINT, ApiKeyCredentials(in_headers={{"Training-key": training_key}}))
print([project.name for project in trainer.get_projects()])</pre>
<p>For operators: <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a>,
<a href="/openapi.json">/openapi.json</a>. This installation carries no portal: it was built without
one (FOVEAL_PORTAL=skip).</p>
</html>
"""


@router.get("/")
def welcome(request: Request) -> HTMLResponse:
    return HTMLResponse(PAGE.format(version=escape(__version__), base=escape(str(request.base_url).rstrip("/"))))
