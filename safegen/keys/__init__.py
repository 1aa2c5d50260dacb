"""Keys and trust: the local identity, signers, trust bundles and our own certificate chain check.

Nothing is imported here, so that ``verify`` pays for ``cryptography`` only where it is used:
see ``identity``, ``signers``, ``trust``, ``chain``, ``passphrase`` and ``log_key``.
"""
