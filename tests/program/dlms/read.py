"""Reads the meter's one register with gurux-dlms; what it read goes to stderr.

The line is on stdin and stdout, or, with arguments, on those of the command that they name.
"""

import os
import subprocess
import sys

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSRegister

client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.HDLC)
pipe = None
source, sink = 0, 1
if sys.argv[1:]:
    pipe = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    source, sink = pipe.stdout.fileno(), pipe.stdin.fileno()
# The library prints what it does not like, and that must not reach the meter when stdout is the line.
sys.stdout = sys.stderr


def exchange(frames):
    """Sends requests one after the other, and asks for the rest of each answer."""
    answer = None
    for frame in frames if isinstance(frames, list) else [frames]:
        while frame:
            os.write(sink, bytes(frame))
            received, answer = GXByteBuffer(), GXReplyData()
            while not client.getData(received, answer, None):
                more = os.read(source, 4096)
                if not more:
                    sys.exit("the line ended within an answer")
                received.set(more)
            if answer.error:
                sys.exit(f"the meter answered with error {answer.error}")
            frame = client.receiverReady(answer) if answer.isMoreData() else None
    return answer


client.parseUAResponse(exchange(client.snrmRequest()).data)
client.parseAareResponse(exchange(client.aarqRequest()).data)
register = GXDLMSRegister("1.0.1.8.0.255")
for attribute in (1, 2):
    client.updateValue(register, attribute, exchange(client.read(register, attribute)).value)
exchange(client.disconnectRequest())
print(f"{register.logicalName} = {register.value}", file=sys.stderr)
if pipe:
    pipe.stdin.close()
    sys.exit(pipe.wait())
