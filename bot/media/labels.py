"""Marks a video as made by a model, for programs: IPTC's digital source type, as XMP.

Players and chats ignore the mark. Metadata readers show it under its real name only from XMP.
"""

from pathlib import Path
from uuid import UUID

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XMP = UUID("be7acfcb-97a9-42e8-9c71-999491e3afac")
"""The UUID of the box that holds XMP in an MP4 (ISO 16684-1)."""
_PACKET = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def label(video: Path) -> None:
    """Append the mark to one of our MP4s.

    The mark is at the end of the file, so that the offsets in the file's index stay right.
    """
    body = _XMP.bytes + _PACKET.encode()
    with video.open("ab") as file:
        file.write((8 + len(body)).to_bytes(4) + b"uuid" + body)
