"""A meter with one register behind a mode-E sign-on, on a pseudo-terminal: the DLMS server of gurux-dlms.

Prints the port's name, then serves until it is ended.
"""

import os
import tty

from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.GXServerReply import GXServerReply
from gurux_dlms.enums import AccessMode, InterfaceType, MethodAccessMode, SourceDiagnostic
from gurux_dlms.ConnectionState import ConnectionState
from gurux_dlms.objects import GXDLMSRegister
from gurux_dlms.secure.GXDLMSSecureServer import GXDLMSSecureServer

ENERGY = "1.0.1.8.0.255"
ACK = b"\x06"


class Reply(GXServerReply):
    """The library's own lacks the getters and setters that its server calls."""

    def setReply(self, value):
        self.reply = value

    def getConnectionInfo(self):
        return self.connectionInfo


class Meter(GXDLMSSecureServer):
    def __init__(self):
        super().__init__(True, InterfaceType.HDLC)
        register = GXDLMSRegister(ENERGY)
        register.value = 12345678
        self.items.append(register)
        # initialize() would add an association whose list of objects this library cannot fill.
        self.initialized = True

    def handleSnrmRequest(self, data):
        # The library's own wants an HDLC set-up object of a kind that it does not have.
        GXDLMS.parseSnrmUaResponse(data, self.settings.hdlc)
        self.reset(True)
        hdlc = self.settings.hdlc
        parameters = bytearray()
        for tag, value in ((5, hdlc.maxInfoTX), (6, hdlc.maxInfoRX)):
            parameters += bytes([tag, 1, min(value, 128)])
        for tag, value in ((7, hdlc.windowSizeTX), (8, hdlc.windowSizeRX)):
            parameters += bytes([tag, 4]) + int(value).to_bytes(4, "big")
        self.replyData.set(bytes([0x81, 0x80, len(parameters)]) + bytes(parameters))
        self.settings.connected = ConnectionState.HDLC

    def generateDisconnectRequest(self):
        # UA without parameters: the library's own reads those of the set-up object that it does not have.
        self.replyData.clear()

    def isTarget(self, serverAddress, clientAddress):
        return True

    def onValidateAuthentication(self, authentication, password):
        return SourceDiagnostic.NONE

    def onFindObject(self, objectType, sn, ln):
        return None

    def onGetAttributeAccess(self, arg):
        return AccessMode.READ_WRITE

    def onGetMethodAccess(self, arg):
        return MethodAccessMode.ACCESS

    def ignore(self, *_):
        pass

    def notifyRead(self, *_):
        # The library's server calls these two, and has neither.
        pass

    def setTransaction(self, transaction):
        self.transaction = transaction

    onPreGet = onPostGet = onPreRead = onPostRead = onPreWrite = onPostWrite = ignore
    onConnected = onInvalidConnection = onDisconnected = onPreAction = onPostAction = ignore


def read_until(line, ends):
    """Byte by byte: what follows belongs to somebody else."""
    got = b""
    while not any(got.endswith(end) for end in ends):
        got += os.read(line, 1)
    return got


def main():
    line, port = os.openpty()
    tty.setraw(port)
    print(os.ttyname(port), flush=True)
    while not read_until(line, [b"\r\n"]).endswith(b"/?!\r\n"):
        pass
    os.write(line, b"/GUX5\\2iecprobe\r\n")
    assert read_until(line, [b"\r\n"]).endswith(ACK + b"252\r\n")
    os.write(line, ACK + b"252\r\n")
    meter = Meter()
    while True:
        reply = Reply(os.read(line, 4096))
        meter.handleRequest(reply)
        if reply.reply:
            os.write(line, bytes(reply.reply))


main()
