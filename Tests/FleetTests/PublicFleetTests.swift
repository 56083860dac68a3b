import ConnectAPI
import StrictJSON
import Testing

@Suite struct PublicFleetTests {
    private func redacted(_ text: String) throws -> String {
        guard case .object(let object) = try JSONValue.parse(Array(text.utf8)) else { throw CancellationError() }
        var writer = JSONWriter()
        writer.value(.object(PublicFleet.redacted(object)))
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test func thePlacesOwnSideIsLeftOut() throws {
        #expect(
            try redacted(
                #"{"ok":true,"attempts":[{"address":"192.0.2.7","local":{"address":"10.0.0.9","port":1}}],"prober":"x"}"#
            )
                == #"{"ok":true,"attempts":[{"address":"192.0.2.7"}]}"#)
    }

    @Test func routersAreHidden() throws {
        #expect(
            try redacted(#"{"attempts":[{"icmp":{"type":3,"from":"10.0.0.1"}}]}"#)
                == #"{"attempts":[{"icmp":{"type":3}}]}"#)
        #expect(
            try redacted(
                #"{"trace":{"hops":[{"ttl":1,"from":"10.0.0.1","others":["10.0.0.5"]}],"last_answer_from":"10.0.0.1"}}"#
            )
                == #"{"trace":{"hops":[{"ttl":1,"from":null,"others":[]}],"last_answer_from":null}}"#)
    }

    @Test func everythingElseStays() throws {
        let text = #"{"target":"a:1","tls":{"chain":[{"sha256":"aa"}]},"resolution":{"addresses":["192.0.2.7"]}}"#
        #expect(try redacted(text) == text)
    }
}
