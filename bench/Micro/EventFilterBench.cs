using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Bench.Micro;

/// <summary>What do rules cost an event? Time for one key of about 30 bytes, of as many kinds as there are rules; half of the keys match.</summary>
[MemoryDiagnoser]
public class EventFilterBench
{
    private const int KeyCount = 4096;

    private byte[][] _keys = [];
    private EventFilter _filter = null!;

    [Params(10, 1000, 5000, 12000)]
    public int Rules { get; set; }

    /// <summary>No two keys of a rule are alike where the mask has a star, so that little of what is learnt helps.</summary>
    [Params(false, true)]
    public bool Stars { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var format = Stars ? ".*{0:D5}:.*e$" : "^tenant{0:D5}:us.*";
        var rules = Enumerable.Range(0, Rules).Select(i => EventRule.TryParse(
            $"events=x db=0 mask={string.Format(CultureInfo.InvariantCulture, format, i)}", out var rule, out var error) ? rule : throw new InvalidOperationException(error));
        _filter = new EventFilter(EventClass.None, KeyMaskSet.Empty, new RuleSet(rules));
        var random = new Random(1);
        _keys = [.. Enumerable.Range(0, KeyCount).Select(_ => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"tenant{random.Next(2 * Rules):D5}:user:{random.Next(1_000_000)}:name")))];
    }

    [Benchmark(OperationsPerInvoke = KeyCount)]
    public int Wants()
    {
        var wanted = 0;
        foreach (var key in _keys) wanted += _filter.Wants(0, EventClass.Expired, key) ? 1 : 0;
        return wanted;
    }
}
