using System.Text;
using BenchmarkDotNet.Attributes;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Bench.Micro;

/// <summary>What does the mask filter cost an event? Time for one key of about 30 bytes; half of the keys match.</summary>
/// <remarks>Table: what is used. Nfa: the same without a memory of its steps. Regex: one combined non-backtracking expression.</remarks>
[MemoryDiagnoser]
public class KeyMaskBench
{
    private const int KeyCount = 1024;

    private byte[][] _keys = [];
    private KeyMaskSet _set = KeyMaskSet.Empty;
    private MaskNfa _nfa = null!;
    private CombinedRegex _regex = null!;

    public enum Masks
    {
        OnePrefix,
        OneInside,
        TenPrefixes,
        ThousandPrefixes,
        ThousandMixed,
    }

    [ParamsAllValues]
    public Masks Given { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var count = Given switch { Masks.OnePrefix or Masks.OneInside => 1, Masks.TenPrefixes => 10, _ => 1000 };
        string[] masks =
        [
            .. Enumerable.Range(0, count).Select(i => Given switch
            {
                Masks.OneInside => ".*:0:.*:name$",
                Masks.ThousandMixed when i % 3 == 1 => $":{i}:.*:name$",
                Masks.ThousandMixed when i % 3 == 2 => $"tenant{i}:user.*:na*me",
                _ => $"^tenant{i}:user:.*$",
            }),
        ];
        var random = new Random(1);
        _keys = [.. Enumerable.Range(0, KeyCount).Select(_ => Encoding.ASCII.GetBytes($"tenant{random.Next(2 * count)}:user:{random.Next(1_000_000)}:name"))];
        byte[][] bytes = [.. masks.Select(Encoding.ASCII.GetBytes)];
        _set = KeyMaskSet.Empty.Add(bytes.Select(mask => KeyMask.Parse(mask)));
        _nfa = new MaskNfa([.. bytes.Select(mask => MaskPattern.Parse(mask))]);
        _regex = new CombinedRegex(bytes.Select(mask => MaskPattern.Parse(mask)));
        var expected = Table();
        if (Nfa() != expected || Regex() != expected)
        {
            throw new InvalidOperationException($"matchers disagree: {expected} {Nfa()} {Regex()}");
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = KeyCount)]
    public int Table()
    {
        var matches = 0;
        foreach (var key in _keys)
        {
            matches += _set.Matches(key) ? 1 : 0;
        }

        return matches;
    }

    [Benchmark(OperationsPerInvoke = KeyCount)]
    public int Nfa()
    {
        var matches = 0;
        foreach (var key in _keys)
        {
            matches += _nfa.Matches(_nfa.Start.Span, key) ? 1 : 0;
        }

        return matches;
    }

    [Benchmark(OperationsPerInvoke = KeyCount)]
    public int Regex()
    {
        var matches = 0;
        foreach (var key in _keys)
        {
            matches += _regex.Matches(key) ? 1 : 0;
        }

        return matches;
    }
}
