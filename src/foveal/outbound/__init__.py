"""Telling the outside world: e-mail, webhook, an Azure queue, a user's own container. It is given what to tell."""
