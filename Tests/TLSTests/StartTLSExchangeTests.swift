import CLinux
import CheckModel
import ErrorCatalogue
import Foundation
import NetworkTypes
import SocketIO
@testable import TLS
import Testing

/// Negotiations over real connections.
@Suite struct StartTLSExchangeTests {
    private func failure(_ ending: TLSHandshakeOutcome) -> TLSHandshakeFailure? {
        if case .failed(let failure) = ending { failure } else { nil }
    }

    @Test func aPeerThatSpeaksFirstIsAskedAndReady() async throws {
        let peer = try StartTLSPeer { end in
            end.say("220 mx\r\n")
            #expect(end.hear() == "EHLO [127.0.0.1]\r\n")
            end.say("250-mx\r\n250 STARTTLS\r\n")
            #expect(end.hear() == "STARTTLS\r\n")
            end.say("220 go\r\n")
            // Nothing is said in plain text behind that.
            #expect(end.hear() == "")
        }
        #expect(try await peer.negotiate(.smtp) == .completed)
    }

    @Test func aPeerThatWaitsIsSpokenTo() async throws {
        let peer = try StartTLSPeer { end in
            #expect(end.hear().utf8.count == 9)
            end.say("S")
        }
        #expect(try await peer.negotiate(.postgres) == .completed)
    }

    @Test func aPeerThatDripsIsUnderstood() async throws {
        let peer = try StartTLSPeer { end in
            for letter in "220 mx\r\n" {
                end.say(String(letter))
                usleep(2000)
            }
            end.hear()
            for letter in "250-mx\r\n250 STARTTLS\r\n" {
                end.say(String(letter))
                usleep(2000)
            }
            end.hear()
            end.say("220 go\r\n")
        }
        #expect(try await peer.negotiate(.smtp) == .completed)
    }

    @Test func aRefusalHasThePeersLine() async throws {
        let peer = try StartTLSPeer { end in
            end.say("220 mx\r\n")
            end.hear()
            end.say("250-mx\r\n250 SIZE\r\n")
        }
        let failure = failure(try await peer.negotiate(.smtp))
        #expect(failure?.name == .startTLSRefused)
        #expect(failure?.message == "it does not offer STARTTLS")
        #expect(failure?.received == Array("250-mx\r\n250 SIZE".utf8))
    }

    @Test func wordsBehindTheGoAheadAreABreach() async throws {
        let peer = try StartTLSPeer { end in
            end.say("220 mx\r\n")
            end.hear()
            end.say("250-mx\r\n250 STARTTLS\r\n")
            end.hear()
            end.say("220 go\r\n250 injected\r\n")
        }
        let failure = failure(try await peer.negotiate(.smtp))
        #expect(failure?.name == .protocolViolation)
        #expect(failure?.received == Array("250 injected\r\n".utf8))
    }

    @Test func anEndIsClosedAndShowsWhatWasSaid() async throws {
        let silent = try StartTLSPeer { _ in }
        #expect(try await silent.negotiate(.imap) == .failed(TLSHandshakeFailure(.closed)))
        let half = try StartTLSPeer { $0.say("* O") }
        #expect(
            try await half.negotiate(.imap) == .failed(TLSHandshakeFailure(.closed, received: Array("* O".utf8))))
    }

    @Test(arguments: [
        (StartTLSProtocol.smtp, "554-mx\r\n554 5.7.1 no\u{1B}[31m\r\n", "the greeting refuses us: 554-mx 554", false),
        (.smtp, "421 4.3.2 busy", "the greeting refuses us: 421 4.3.2 busy", true),
        (.smtp, "554-only this\r\n", "the greeting refuses us: 554-only this", false),
        (.lmtp, "550 5.7.1 no service\r\n", "the greeting refuses us: 550 5.7.1 no service", false),
        (.ftp, "530-Sorry\r\n  too many users\r\n530 end\r\n", "the greeting refuses us: 530-Sorry too many", true),
        (.pop3, "-ERR busy", "the greeting refuses us: -ERR busy", true),
        (.imap, "* BYE go away", "it says goodbye: * BYE go away", false),
        (.telnet, "All lines are busy\r\n", "it ends the connection: All lines are busy", true),
        (.postgres, "Etoo many clients\n\0", "it answers with an error: too many clients", true),
        (.irc, "ERROR :Closing Link: (K-Lined)", "it ends the connection: ERROR :Closing Link", false),
    ])
    func aRefusalOfServiceHasThePeersWords(
        _ name: StartTLSProtocol, _ words: String, _ message: String, _ isTemporary: Bool
    ) async throws {
        let speaksFirst = name == .telnet || name == .irc || name == .postgres
        let peer = try StartTLSPeer { end in
            // An end with something unread would be a reset.
            if speaksFirst { end.hear() }
            end.say(words)
        }
        let failure = failure(try await peer.negotiate(name))
        #expect(failure?.name == .startTLSRefused)
        #expect(failure?.message?.hasPrefix(message) == true, "\(failure?.message ?? "")")
        #expect(failure?.message?.unicodeScalars.contains { $0.value < 0x20 } == false)
        #expect(failure?.isTemporary == isTemporary)
    }

    @Test func aResetKeepsItsErrno() async throws {
        let peer = try StartTLSPeer { end in
            end.say("220 mx\r\n")
            end.hear()
            end.breakOff()
        }
        #expect(try await peer.negotiate(.smtp) == .broken(Errno(ECONNRESET)))
    }

    @Test func aSilentPeerMeetsTheDeadline() async throws {
        // Its own patience ends later: that would be an end of the stream.
        let peer = try StartTLSPeer { $0.hear() }
        let begin = Clock.now()
        #expect(try await peer.negotiate(.smtp, milliseconds: 200) == .deadline)
        #expect(Clock.now().since(begin) >= 200_000_000)
    }

    @Test func nobodyWaitsForAPeerOnceCancelled() async throws {
        let peer = try StartTLSPeer { $0.hear() }
        let ending = try await withThrowingTaskGroup { group in
            group.addTask { [endpoint = try peer.endpoint] in
                try await StartTLSPeer.negotiate(.smtp, with: endpoint) { _ in }
            }
            try await Task.sleep(for: .milliseconds(50))
            group.cancelAll()
            return try await group.next()
        }
        #expect(ending == .cancelled)
    }

    @Test func endlessTalkEndsAt64KiB() async throws {
        let peer = try StartTLSPeer { end in
            let line = String(repeating: "x", count: 998)
            for _ in 0..<100 { end.say(":s NOTICE * :\(line)\r\n") }
            end.hear()
            while !end.hear().isEmpty {}
        }
        let failure = failure(try await peer.negotiate(.irc))
        #expect(failure?.name == .startTLSRefused)
        #expect(failure?.message == "it sent more than 65536 bytes")
        #expect((failure?.received?.count ?? 0) <= 1024)
    }

    @Test func aFloodOfQuestionsEndsAndIsShownInPart() async throws {
        let peer = try StartTLSPeer { end in
            for _ in 0..<40 { end.say(String(repeating: "PING :a\r\n", count: 400)) }
            while !end.hear().isEmpty {}
        }
        #expect(failure(try await peer.negotiate(.irc))?.message == "it sent more than 65536 bytes")
    }

    @Test func aLongLineIsShownInPart() async throws {
        let peer = try StartTLSPeer { end in
            end.say(String(repeating: "y", count: 5000))
            end.hear()
        }
        let failure = failure(try await peer.negotiate(.smtp))
        #expect(failure?.message == "the line is too long: " + String(repeating: "y", count: 197) + "…")
        #expect(failure?.received == [UInt8](repeating: UInt8(ascii: "y"), count: 1024))
    }
}
