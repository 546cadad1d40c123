using System.Text;
using BenchmarkDotNet.Attributes;
using KeyEvt.Resp;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Bench.Micro;

/// <summary>What does finding the ends of requests cost? Divide by <see cref="Requests"/> for one request.</summary>
[MemoryDiagnoser]
public class RequestFramerBench
{
    private const int Requests = 16;

    private static readonly byte[] Sets = Repeat("*3\r\n$3\r\nSET\r\n$10\r\nkey:123456\r\n$32\r\n" + new string('v', 32) + "\r\n");
    private static readonly byte[] Gets = Repeat("*2\r\n$3\r\nGET\r\n$10\r\nkey:123456\r\n");

    private readonly RespRequestFramer<NoCandidates> _framer = new(RespLimits.Default, default);

    private readonly struct NoCandidates : IRequestFilter
    {
        public bool IsCandidate(ReadOnlySpan<byte> nameHead, long nameLength, long argumentCount) => nameHead[0] is (byte)'k' or (byte)'K';
    }

    [Benchmark(OperationsPerInvoke = Requests)]
    public long Set() => _framer.Scan(Sets).Released;

    [Benchmark(OperationsPerInvoke = Requests)]
    public long Get() => _framer.Scan(Gets).Released;

    [Benchmark(OperationsPerInvoke = Requests)]
    public long SetCutInTheMiddle() => _framer.Scan(Sets.AsSpan(0, 531)).Released + _framer.Scan(Sets.AsSpan(531)).Released;

    private static byte[] Repeat(string request) => Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, Requests)));
}
