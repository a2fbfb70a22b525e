"""``wasbs://CONTAINER@ACCOUNT.blob.core.windows.net/PATH``, the address that Hadoop, Spark and MLflow share."""

from __future__ import annotations

import re
from dataclasses import dataclass

from errors import SourceError

SCHEME = "wasbs"
FORM = f"{SCHEME}://CONTAINER@ACCOUNT.blob.core.windows.net/PATH"

_PATTERN = re.compile(
    r"wasbs://(?P<container>[^@/]+)@(?P<account>[^./]+)\."
    r"(?P<suffix>blob\.core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net))(?:/(?P<path>[^?#]*))?"
)


@dataclass(frozen=True)
class Address:
    """A folder of a container.

    Attributes
    ----------
    container, account : str
    suffix : str
        Of the cloud: ``blob.core.windows.net``, or that of Azure China or US Government.
    path : str
        Without slashes at its ends; empty for the container's top.
    """

    container: str
    account: str
    suffix: str
    path: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return the address that `text` spells.

        Raises
        ------
        SourceError
            It is not of the form.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            shown = text.partition("?")[0]  # what follows may be a signature
            raise SourceError(f"data: '{shown}' is not of the form {FORM}.")
        path = (match["path"] or "").strip("/")
        return cls(match["container"], match["account"], match["suffix"], path)

    @property
    def endpoint(self) -> str:
        """The account's public address."""
        return f"https://{self.account}.{self.suffix}"

    @property
    def prefix(self) -> str:
        """What the names of the folder's blobs start with."""
        return f"{self.path}/" if self.path else ""

    def __str__(self) -> str:
        return f"{SCHEME}://{self.container}@{self.account}.{self.suffix}/{self.path}"
