"""Text, spoken and structural alternatives to what a clip shows and sounds like.

Captions, descriptions, chapters and a transcript; the same inside the MP4; a spoken description where a
speech synthesiser is installed. The descriptions come from what detectors found in the pictures and how sure
they were.

``scenes`` (what is seen when; ``phrasing`` puts it into sentences, ``visual_features`` measures what nobody
recognises) ->
``tracks`` (``sound`` finds pauses, ``scheduling`` fills them, ``narration`` speaks) -> ``sidecars``.
"""
