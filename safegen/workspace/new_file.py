"""What a new ``safegen.toml`` says: every setting, commented out."""

from __future__ import annotations

NEW_FILE = """\
# safegen workspace. Delete nothing in this folder by hand: the ledger and its checkpoints belong together.
format = 1

# [signing]            # your own certificate instead of the local identity
# chain = "chain.pem"  # leaf first
# key = "leaf.key"     # PEM, or PKCS#12 (.p12, .pfx); passphrase from SAFEGEN_SIGNING_PASSPHRASE,
#                      # else the next line, else SAFEGEN_KEY_PASSPHRASE
# passphrase_file = "key.passphrase" # a file whose first line opens the key
# alg = "es256"        # refuses a key of another kind; without it the key decides
# tsa_url = ""         # RFC 3161 time stamping authority
# tsa_required = false # true: nothing is released without its time stamp
# ocsp_url = ""        # OCSP responder of your certificate's issuer: its answer goes into each signature
# ocsp_required = false # true: nothing is released without that answer

# [release]
# manifest = "embedded" # or "sidecar", or "https://example.com/{id}.c2pa"
# label = ""            # visible in every clip, such as "AI-generated"
# access = true         # captions, descriptions, chapters and a transcript with every clip

# [privacy]
# keep_prompts = false # true: the plain prompt is kept in the private part of the ledger
# publish_prompt = false # true: the prompt goes into the manifest of every release

# [review]
# seal_prompts = true # a held prompt is kept encrypted for its reviewer; false: not at all
# keep_days = 30      # how long after the decision, for an appeal; 0: until the decision

# [trust]
# c2pa_list = true # false: the C2PA trust list vouches for nobody, only what you pinned counts
"""
