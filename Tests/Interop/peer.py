"""The other side of a link, or of a key encapsulation, by libraries of other makers.

    peer.py link     one line of JSON, then the bytes of a stream (protocol.md section 2.1)
    peer.py kem      one line of JSON with hexadecimal fields for each question, one for each answer

It talks to its parent over standard input and output only, and ends when the input does.
"""

import json
import struct
import sys

incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer


def read(count):
    data = incoming.read(count)
    if len(data) != count:
        raise EOFError
    return data


# -- link

FIRST, SECOND, THIRD, TRANSPORT = 1, 2, 3, 5
REVERSE = 1
AHEAD = 1
REPORT = 0x60
REKEY_MESSAGES = 1 << 14
PADDING = 64


def read_packet():
    """len u16 | kind u8 | flags u8 | bytes"""
    length, kind, flags = struct.unpack(">HBB", read(4))
    return kind, flags, read(length - 2)


def write_packet(kind, data, flags=0):
    outgoing.write(struct.pack(">HBB", len(data) + 2, kind, flags) + bytes(data))


class Link:
    def __init__(self, given):
        self.given = given
        self.slot = int(given["slot"])
        self.noise = None
        self.handshake = None
        self.sent = 0
        self.received = 0

    def begin(self, initiator, flags):
        from noise.connection import Keypair, NoiseConnection

        noise = NoiseConnection.from_name(b"Noise_XXpsk0_25519_ChaChaPoly_SHA256")
        if initiator:
            noise.set_as_initiator()
        else:
            noise.set_as_responder()
        noise.set_keypair_from_private_bytes(Keypair.STATIC, bytes.fromhex(self.given["static"]))
        noise.set_psks(bytes.fromhex(self.given["psk"]))
        wire, suite, stream = 1, 1, 1
        mesh = bytes.fromhex(self.given["mesh"])
        noise.set_prologue(b"covey1-link\x00" + bytes([wire, suite]) + mesh + bytes([stream, flags]))
        noise.start_handshake()
        self.noise = noise
        # The library lets go of it after the last message.
        self.handshake = noise.noise_protocol.handshake_state

    def initiate(self):
        self.begin(True, 0)
        first = self.noise.write_message(struct.pack(">BBBxI8x", 1, 1, 0, self.slot))
        write_packet(FIRST, first)
        outgoing.flush()
        kind, flags, data = read_packet()
        if kind == FIRST:
            # The roles are turned: the other side wants to see this one's certificate first.
            assert flags == REVERSE
            return self.respond(flags, data, answered=bytes(first[:8]))
        assert (kind, flags) == (SECOND, 0)
        theirs = self.noise.read_message(data)
        write_packet(THIRD, self.noise.write_message(bytes.fromhex(self.given["payload"])))
        return theirs

    def respond(self, flags, data, answered=bytes(8)):
        self.begin(False, flags)
        said = struct.unpack(">BBBBI8s", self.noise.read_message(data))
        assert said[:2] == (1, 1) and said[2] == (AHEAD if flags == REVERSE else 0) and said[3] == 0, said
        assert said[4] == self.slot and said[5] == answered, said
        write_packet(SECOND, self.noise.write_message(bytes.fromhex(self.given["payload"])))
        outgoing.flush()
        kind, flags, data = read_packet()
        assert (kind, flags) == (THIRD, 0)
        return self.noise.read_message(data)

    def seal(self, plaintext):
        write_packet(TRANSPORT, self.noise.encrypt(plaintext))
        self.sent += 1
        if self.sent % REKEY_MESSAGES == 0:
            self.noise.rekey_outbound_cipher()

    def open(self, message):
        plaintext = self.noise.decrypt(message)
        self.received += 1
        if self.received % REKEY_MESSAGES == 0:
            self.noise.rekey_inbound_cipher()
        return plaintext

    def report(self, theirs):
        """One frame: handshake hash 32 | the other side's static key 32 | its payload as it came."""
        static = self.handshake.rs.public_bytes
        body = bytes(self.noise.get_handshake_hash()) + static + bytes(theirs)
        length = bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
        frame = bytes([REPORT]) + length + body
        self.seal(frame + bytes(-len(frame) % PADDING))
        outgoing.flush()

    def run(self):
        if self.given["role"] == "initiator":
            theirs = self.initiate()
        else:
            kind, flags, data = read_packet()
            assert (kind, flags) == (FIRST, 0)
            theirs = self.respond(flags, data)
        self.report(theirs)
        while True:
            # Every message goes back as it came.
            kind, flags, message = read_packet()
            assert (kind, flags) == (TRANSPORT, 0)
            plaintext = self.open(message)
            assert len(plaintext) % PADDING == 0
            self.seal(plaintext)
            outgoing.flush()


# -- kem


def answer(question):
    """Seeds are d | z (FIPS 203 section 7.1); a decapsulation of what was altered gives a secret too."""
    from cryptography.hazmat.primitives.asymmetric import mlkem

    if question["ask"] == "encapsulate":
        key = mlkem.MLKEM768PublicKey.from_public_bytes(bytes.fromhex(question["public"]))
        secret, ciphertext = key.encapsulate()
        return {"ciphertext": ciphertext, "secret": secret}
    key = mlkem.MLKEM768PrivateKey.from_seed_bytes(bytes.fromhex(question["seed"]))
    if question["ask"] == "public":
        return {"public": key.public_key().public_bytes_raw()}
    if question["ask"] == "decapsulate":
        return {"secret": key.decapsulate(bytes.fromhex(question["ciphertext"]))}
    raise ValueError(question["ask"])


def main():
    try:
        if sys.argv[1] == "link":
            Link(json.loads(incoming.readline())).run()
        for line in incoming:
            fields = answer(json.loads(line))
            outgoing.write(json.dumps({name: value.hex() for name, value in fields.items()}).encode() + b"\n")
            outgoing.flush()
    except EOFError:
        pass


main()
