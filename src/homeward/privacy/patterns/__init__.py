"""What is looked for, as rows of data."""

from homeward.privacy.detector import Detector
from homeward.privacy.patterns.contact import CONTACT
from homeward.privacy.patterns.identity import IDENTITY
from homeward.privacy.patterns.keys import KEYS
from homeward.privacy.patterns.money import MONEY
from homeward.privacy.patterns.network import NETWORK
from homeward.privacy.patterns.passwords import PASSWORDS

BUILT_IN: tuple[Detector, ...] = (*KEYS, *PASSWORDS, *MONEY, *IDENTITY, *NETWORK, *CONTACT)
