// Does the framer still agree with the reference on the inputs that the fuzzer found worth keeping?
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

/// <summary>The corpus is tests/Corpus/framer; scripts/fuzz.sh starts from it and adds to it.</summary>
public sealed class CorpusTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Corpus", "framer");

    public static TheoryData<string> Names => [.. Directory.EnumerateFiles(Folder).Select(path => Path.GetFileName(path)).Order()];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_input_of_the_corpus_reads_as_in_the_reference(string name)
    {
        var input = FuzzInput.Parse(File.ReadAllBytes(Path.Combine(Folder, name)));
        input.Check();
        foreach (var cuts in Cuts.All(input.Stream.Length)) Agreement.Check(input.Stream, cuts, input.Limits);
    }
}
