@testable import ConnectAPI
import Testing

/// Which form of a batch's response a client prefers.
@Suite struct AcceptHeaderTests {
    private func prefersLines(_ fields: String...) -> Bool {
        AcceptHeader(fields).prefers("application/x-ndjson", to: "application/json")
    }

    @Test func linesAreSentOnlyIfTheyArePreferred() {
        #expect(!prefersLines())
        #expect(!prefersLines(""))
        #expect(!prefersLines("*/*"))
        #expect(!prefersLines("application/*"))
        #expect(!prefersLines("application/json"))
        #expect(!prefersLines("text/html, */*;q=0.8"))
        #expect(prefersLines("application/x-ndjson"))
        #expect(prefersLines("Application/X-NDJSON; charset=utf-8"))
        #expect(prefersLines("text/html;x=\"a,b\", application/x-ndjson"))
    }

    @Test func theQualityDecides() {
        #expect(!prefersLines("application/x-ndjson;q=0.5, application/json"))
        #expect(prefersLines("application/x-ndjson;q=0.5, application/json;q=0.4"))
        #expect(prefersLines("application/x-ndjson;q=0.5, application/json ; q=0"))
        #expect(!prefersLines("application/x-ndjson;q=0"))
        #expect(!prefersLines("application/x-ndjson; q=0, */*"))
    }

    @Test func withEqualQualityTheMoreExactTypeIsPreferredThenTheFirst() {
        #expect(prefersLines("*/*, application/x-ndjson"))
        #expect(prefersLines("application/*, application/x-ndjson"))
        #expect(!prefersLines("application/json, application/x-ndjson"))
        #expect(prefersLines("application/x-ndjson, application/json"))
    }

    @Test func severalFieldsAreOneList() {
        #expect(prefersLines("text/plain", "application/x-ndjson"))
        #expect(!prefersLines("application/x-ndjson;q=0.1", "application/json"))
    }
}
