/// START_TLS of Telnet, option 46 (draft-altman-telnet-starttls), by the rules of RFC 854 and RFC 855.
///
/// The client offers the option at once, so that a server without it has to refuse. Every other option is declined, and
/// text is ignored.
struct TelnetNegotiation: StartTLSNegotiation {
    private enum Code {
        static let interpretAsCommand: UInt8 = 255
        static let dont: UInt8 = 254
        static let `do`: UInt8 = 253
        static let wont: UInt8 = 252
        static let will: UInt8 = 251
        static let subnegotiation: UInt8 = 250
        static let subnegotiationEnd: UInt8 = 240
        static let startTLS: UInt8 = 46
        static let follows: UInt8 = 1
    }

    private static let follows: [UInt8] = [
        Code.interpretAsCommand, Code.subnegotiation, Code.startTLS, Code.follows, Code.interpretAsCommand,
        Code.subnegotiationEnd,
    ]

    private var isAgreed = false
    /// The text between commands, as far as a refusal shows it.
    private var text: ArraySlice<UInt8> = []

    let opening: [UInt8] = [Code.interpretAsCommand, Code.will, Code.startTLS]

    mutating func advance(_ received: inout ArraySlice<UInt8>) -> StartTLSAction {
        while let first = received.first {
            guard first == Code.interpretAsCommand else {
                let words = received.prefix { $0 != Code.interpretAsCommand }
                text += words.prefix(max(StartTLSLimits.shownBytes - text.count, 0))
                received = received.dropFirst(words.count)
                continue
            }
            let action = command(&received)
            guard action == nil else { return action ?? .wait }
        }
        return .wait
    }

    /// A busy server says so in a text, and closes the connection.
    mutating func end(with rest: ArraySlice<UInt8>) -> StartTLSAction? {
        guard !isAgreed, RefusalText.isTemporary(text) else { return nil }
        return .refused("it ends the connection", text, .service(isTemporary: true))
    }

    /// Handles one command.
    /// - Returns: nil if it needs no action.
    private mutating func command(_ received: inout ArraySlice<UInt8>) -> StartTLSAction? {
        let bytes = Array(received.prefix(3))
        guard bytes.count >= 2 else { return .wait }
        switch bytes[1] {
        case Code.will, Code.wont, Code.do, Code.dont:
            guard bytes.count == 3 else { return .wait }
            received = received.dropFirst(3)
            return option(bytes)
        case Code.subnegotiation: return subnegotiation(&received)
        case _:
            // A command without an option (NOP, GA), or a byte 255 of the text.
            received = received.dropFirst(2)
            return nil
        }
    }

    private mutating func option(_ bytes: [UInt8]) -> StartTLSAction? {
        let (command, option) = (bytes[1], bytes[2])
        switch (command, option) {
        case (Code.do, Code.startTLS):
            if isAgreed { return nil }
            isAgreed = true
            return .send(Self.follows)
        case (Code.dont, Code.startTLS): return .refused("it does not offer START_TLS", bytes[...])
        case (Code.do, _): return .send([Code.interpretAsCommand, Code.wont, option])
        case (Code.will, _): return .send([Code.interpretAsCommand, Code.dont, option])
        case _: return nil
        }
    }

    private mutating func subnegotiation(_ received: inout ArraySlice<UInt8>) -> StartTLSAction? {
        var index = received.startIndex + 2
        while index + 1 < received.endIndex {
            guard received[index] == Code.interpretAsCommand else {
                index += 1
                continue
            }
            guard received[index + 1] == Code.subnegotiationEnd else {
                index += 2
                continue
            }
            let whole = received[..<(index + 2)]
            received = received[(index + 2)...]
            guard whole.elementsEqual(Self.follows) else { return nil }
            return isAgreed ? .ready : .refused("START_TLS follows without an agreement", whole)
        }
        return received.count > StartTLSLimits.lineBytes ? .refused("the command is too long", received) : .wait
    }
}
