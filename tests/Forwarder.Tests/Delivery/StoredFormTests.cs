using System.Text;
using KeyEvt.Forwarder.Events;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Delivery;

/// <summary>Is an event read back from its stored form as it was, and is what others have stored still what it was?</summary>
public sealed class StoredFormTests
{
    private static readonly EventPosition Position = new(0xc0ffee, 1L << 60, int.MaxValue);

    [Theory]
    [InlineData(EventClass.Hash, "hset", "", "", "")] // an ordinary one is written as it always was
    [InlineData(EventClass.Hash, "hset", "1:a,2:bc", "~h8", "h")]
    [InlineData(EventClass.Hash | EventClass.Expired, "hexpired", "", "~x", "x")]
    [InlineData(EventClass.Hash | EventClass.Expired, "hexpired", "1:a", "~x3", "x")]
    [InlineData(EventClass.Array, "arset", "", "", "")]
    [InlineData(EventClass.Module, "arset", "", "~d", "d")]
    [InlineData(EventClass.Module, "json.set", "3:$.a", "~d5", "d")]
    public void What_is_composed_is_read_back(EventClass eventClass, string name, string fields, string behindId, string letter)
    {
        foreach (var key in (string[])["", "key", "~h3", "a\nb", "1:a", "\u0001x~h8\n"])
        {
            var stored = Compose(eventClass, name, key, fields);
            var text = Encoding.Latin1.GetString(stored);
            Assert.Equal($"\u0001{Position}{behindId}\n7\n{name}\n{key}{fields}", text);

            var entry = new LogEntry(1, stored, LogEntry.HeadLengthOf(stored), 0, 0);
            Assert.Equal(Position.ToString(), Text(entry.MessageId));
            Assert.Equal($"7\n{name}\n{key}", Text(entry.Body));
            Assert.Equal(fields, Text(entry.Fields));
            Assert.Equal(letter.Length == 0 ? EventClass.None : NotifyFlags.ClassOf(letter[0]), entry.Class);
            Assert.Equal(0, LogEntry.EpochOf(stored));

            var stamped = StoredForm.WithEpoch(stored, entry.HeadLength, long.MaxValue);
            Assert.Equal($"\u0001{Position}{(behindId.Length == 0 ? "~" : behindId)}@9223372036854775807\n7\n{name}\n{key}{fields}", Encoding.Latin1.GetString(stamped));
            Assert.Equal(long.MaxValue, LogEntry.EpochOf(stamped));
            var again = new LogEntry(1, stamped, LogEntry.HeadLengthOf(stamped), 0, 0);
            Assert.Equal((Text(entry.MessageId), Text(entry.Body), Text(entry.Fields), entry.Class), (Text(again.MessageId), Text(again.Body), Text(again.Fields), again.Class));
        }
    }

    [Theory]
    [InlineData("0\nset\nk", "", "0\nset\nk")]
    [InlineData("\u0001id\n0\nset\nk", "id", "0\nset\nk")]
    [InlineData("\u0001id~\n0\nset\nk", "id~", "0\nset\nk")]
    [InlineData("\u0001id~h99\n0\nset\nk", "id~h99", "0\nset\nk")] // more than there is
    [InlineData("\u0001id~h-1\n0\nset\nk", "id~h-1", "0\nset\nk")]
    [InlineData("\u0001id~h1x\n0\nset\nk", "id~h1x", "0\nset\nk")]
    [InlineData("\u0001id~h99999999999999999999\n0\nset\nk", "id~h99999999999999999999", "0\nset\nk")]
    [InlineData("\u0001id~Q\n0\nset\nk", "id~Q", "0\nset\nk")]
    [InlineData("\u0001id~T\n0\nset\nk", "id~T", "0\nset\nk")]
    [InlineData("\u0001~h\n0\nset\nk", "~h", "0\nset\nk")]
    [InlineData("\u0001id@7\n0\nset\nk", "id@7", "0\nset\nk")]
    [InlineData("\u0001id~@\n0\nset\nk", "id~@", "0\nset\nk")]
    [InlineData("\u0001id~@-7\n0\nset\nk", "id~@-7", "0\nset\nk")]
    [InlineData("\u0001id~h1@x\n0\nset\nk", "id~h1@x", "0\nset\nk")]
    [InlineData("\u0001id~h1@99999999999999999999\n0\nset\nk", "id~h1@99999999999999999999", "0\nset\nk")]
    public void What_somebody_else_has_stored_is_taken_as_it_is(string stored, string id, string body)
    {
        var bytes = Encoding.Latin1.GetBytes(stored);
        var entry = new LogEntry(1, bytes, LogEntry.HeadLengthOf(bytes), 0, 0);
        Assert.Equal((id, body, "", EventClass.None), (Text(entry.MessageId), Text(entry.Body), Text(entry.Fields), entry.Class));
    }

    private static byte[] Compose(EventClass eventClass, string name, string key, string fields)
    {
        byte[] eventName = Encoding.ASCII.GetBytes(name), list = Encoding.Latin1.GetBytes(fields);
        Span<byte> head = stackalloc byte[StoredForm.MaxHeadLength];
        var length = StoredForm.WriteHead(head, Position, eventClass, eventName, list.Length);
        var form = new StoredForm(head[..length], "7"u8, eventName, Encoding.Latin1.GetBytes(key), list);
        var stored = new byte[form.Length];
        StoredForm.Compose(stored, form);
        return stored;
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.Latin1.GetString(bytes.Span);
}
