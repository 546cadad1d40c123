using System.Text;
using BenchmarkDotNet.Attributes;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Bench.Micro;

/// <summary>What can a hostile key and hostile masks cost? Time for one key of 100,000 bytes that matches nothing.</summary>
/// <remarks>
/// Known: the key has been seen before; its steps are in the table, or had no room there. Learning: the first key of a new set. Nfa: no table; what every
/// byte costs when there is no room.
/// </remarks>
[MemoryDiagnoser]
public class KeyMaskLongBench
{
    private byte[] _key = [];
    private MaskPattern[] _patterns = [];
    private MaskMatcher _known = null!;
    private MaskNfa _nfa = null!;

    public enum Masks
    {
        OneHostile,
        OneOfManyRows,
        ThousandHostile,
    }

    [ParamsAllValues]
    public Masks Given { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(2);
        _key = random.GetItems(Given == Masks.OneOfManyRows ? "ab"u8 : "abcdefghijklmnopqrstuvwxyz"u8, 100_000);
        string[] masks = Given switch
        {
            Masks.OneHostile => [".*a.*a.*a.*B"],
            Masks.OneOfManyRows => ["a.............................B"],
            _ => [.. Enumerable.Range(0, 1000).Select(_ => string.Concat(Enumerable.Range(0, 4).Select(_ => $".*{(char)random.Next('a', 'z')}")) + ".*B")],
        };
        _patterns = [.. masks.Select(mask => MaskPattern.Parse(Encoding.ASCII.GetBytes(mask)))];
        _known = new MaskMatcher(_patterns);
        _nfa = new MaskNfa(_patterns);
        if (Known() || Learning() || Nfa())
        {
            throw new InvalidOperationException("nothing should match");
        }
    }

    [Benchmark(Baseline = true)]
    public bool Known() => _known.Matches(_key);

    [Benchmark]
    public bool Learning() => new MaskMatcher(_patterns).Matches(_key);

    [Benchmark]
    public bool Nfa() => _nfa.Matches(_nfa.Start.Span, _key);
}
