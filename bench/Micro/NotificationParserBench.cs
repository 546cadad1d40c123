using System.Text;
using BenchmarkDotNet.Attributes;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Notifications;

namespace KeyEvt.Bench.Micro;

/// <summary>What does reading one notification cost?</summary>
[MemoryDiagnoser]
public class NotificationParserBench
{
    private readonly byte[] _pmessage = Encoding.ASCII.GetBytes(
        ">4\r\n$8\r\npmessage\r\n$16\r\n__keyevent@*__:*\r\n$22\r\n__keyevent@0__:expired\r\n$23\r\nsession:user:1234567890\r\n");

    private readonly byte[] _message = Encoding.ASCII.GetBytes(
        ">3\r\n$7\r\nmessage\r\n$22\r\n__keyevent@0__:expired\r\n$23\r\nsession:user:1234567890\r\n");

    private readonly byte[] _marker = Encoding.ASCII.GetBytes(">3\r\n$7\r\nmessage\r\n$17\r\n__keyevt__:marker\r\n$20\r\n0123456789abcdef:123\r\n");

    [Benchmark(Baseline = true)]
    public int Pmessage() => NotificationParser.TryParse(_pmessage, out var notification) ? notification.Key.Length : throw new InvalidOperationException();

    [Benchmark]
    public int Message() => NotificationParser.TryParse(_message, out var notification) ? notification.Key.Length : throw new InvalidOperationException();

    [Benchmark]
    public bool NotANotification() => NotificationParser.TryParse(_marker, out _);

    [Benchmark]
    public EventClass PmessageAndItsClass() =>
        NotificationParser.TryParse(_pmessage, out var notification) ? EventClassTable.RedisWithArrays.Of(notification.Event) : throw new InvalidOperationException();
}
