using System.Text;
using BenchmarkDotNet.Attributes;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Bench.Micro;

/// <summary>What does finding an event's class cost? Time for one name, in an order that cannot be guessed.</summary>
[MemoryDiagnoser]
public class EventClassesBench
{
    private const int Count = 1024;

    private byte[][] _known = [];
    private byte[][] _unknown = [];

    [GlobalSetup]
    public void Setup()
    {
        var names = "set expire expired del hset zadd lpush rpush sadd incrby xadd evicted zremrangebyscore xgroup-createconsumer new".Split(' ');
        var random = new Random(1);
        _known = [.. random.GetItems(names, Count).Select(Encoding.ASCII.GetBytes)];
        _unknown = [.. random.GetItems(["json.set", "ts.add", "bf.add", "vadd", "something"], Count).Select(Encoding.ASCII.GetBytes)];
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Count)]
    public uint Known() => Sum(_known);

    [Benchmark(OperationsPerInvoke = Count)]
    public uint Unknown() => Sum(_unknown);

    private static uint Sum(byte[][] names)
    {
        uint sum = 0;
        foreach (var name in names)
        {
            sum += (uint)EventClassTable.RedisWithArrays.Of(name);
        }

        return sum;
    }
}
