using System.Text;
using BenchmarkDotNet.Attributes;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Bench.Micro;

/// <summary>What would a way of its own for <c>^prefix.*$</c>, the most common mask, save? Time for one key; half of the keys match.</summary>
[MemoryDiagnoser]
public class KeyMaskPrefixBench
{
    private const int KeyCount = 1024;

    private readonly KeyMaskSet _set = KeyMaskSet.Empty.Add([KeyMask.Parse("^tenant0:user:.*$"u8)]);
    private readonly byte[] _prefix = [.. "tenant0:user:"u8];
    private byte[][] _keys = [];

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        _keys = [.. Enumerable.Range(0, KeyCount).Select(_ => Encoding.ASCII.GetBytes($"tenant{random.Next(2)}:user:{random.Next(1_000_000)}:name"))];
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
    public int StartsWith()
    {
        var matches = 0;
        foreach (var key in _keys)
        {
            matches += key.AsSpan().StartsWith(_prefix) ? 1 : 0;
        }

        return matches;
    }
}
