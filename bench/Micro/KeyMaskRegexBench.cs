using System.Text;
using BenchmarkDotNet.Attributes;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Bench.Micro;

/// <summary>Why not one combined non-backtracking expression? Time for hostile masks (<c>.*a.*b.*c.*d.*B</c>) and a key of 100,000 bytes that matches none.</summary>
/// <remarks>First: a new set and its first key. Known: the key has been seen before.</remarks>
[MemoryDiagnoser]
public class KeyMaskRegexBench
{
    private byte[] _key = [];
    private MaskPattern[] _patterns = [];
    private MaskMatcher _matcher = null!;
    private CombinedRegex _regex = null!;

    [Params(1, 10, 30)]
    public int Count { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(2);
        string[] masks = [.. Enumerable.Range(0, Count).Select(_ => string.Concat(Enumerable.Range(0, 4).Select(_ => $".*{(char)random.Next('a', 'z')}")) + ".*B")];
        _key = random.GetItems("abcdefghijklmnopqrstuvwxyz"u8, 100_000);
        _patterns = [.. masks.Select(mask => MaskPattern.Parse(Encoding.ASCII.GetBytes(mask)))];
        _matcher = new MaskMatcher(_patterns);
        _regex = new CombinedRegex(_patterns);
        if (TableKnown() || RegexKnown())
        {
            throw new InvalidOperationException("nothing should match");
        }
    }

    [Benchmark(Baseline = true)]
    public bool TableKnown() => _matcher.Matches(_key);

    [Benchmark]
    public bool TableFirst() => new MaskMatcher(_patterns).Matches(_key);

    [Benchmark]
    public bool RegexKnown() => _regex.Matches(_key);

    [Benchmark]
    public bool RegexFirst() => new CombinedRegex(_patterns).Matches(_key);
}
