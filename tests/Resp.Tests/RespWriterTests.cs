// What do commands and replies look like on the wire?
using System.Buffers;
using Xunit;

namespace KeyEvt.Resp.Tests;

public sealed class RespWriterTests
{
    [Fact]
    public void Every_form_of_a_command_writes_the_same()
    {
        Assert.Equal(Latin1.Request("PING"), Written(w => RespWriter.WriteCommand(w, "PING"u8)));
        Assert.Equal(Latin1.Request("GET", "k"), Written(w => RespWriter.WriteCommand(w, "GET"u8, "k"u8)));
        Assert.Equal(Latin1.Request("SET", "k", "v"), Written(w => RespWriter.WriteCommand(w, "SET"u8, "k"u8, "v"u8)));
        Assert.Equal(Latin1.Request("HSET", "k", "f", "\r\n"), Written(w => RespWriter.WriteCommand(w, "HSET"u8, "k"u8, "f"u8, "\r\n"u8)));
        Assert.Equal(Latin1.Request("HELLO", "3", "AUTH", "u", "p"), Written(w => RespWriter.WriteCommand(w, "HELLO", "3", "AUTH", "u", "p")));
        ReadOnlyMemory<byte>[] arguments = ["DEL"u8.ToArray(), Array.Empty<byte>()];
        Assert.Equal(Latin1.Request("DEL", ""), Written(w => RespWriter.WriteCommand(w, arguments)));
    }

    [Fact]
    public void Replies_have_their_type_byte_and_end_in_CRLF()
    {
        Assert.Equal("+OK\r\n", Written(w => RespWriter.SimpleString(w, "OK")));
        Assert.Equal("+OK\r\n", Written(w => RespWriter.SimpleString(w, "OK"u8)));
        Assert.Equal("-ERR no\r\n", Written(w => RespWriter.Error(w, "ERR no")));
        Assert.Equal(":-42\r\n", Written(w => RespWriter.Integer(w, -42)));
        Assert.Equal(":-9223372036854775808\r\n", Written(w => RespWriter.Integer(w, long.MinValue)));
        Assert.Equal("$0\r\n\r\n", Written(w => RespWriter.Bulk(w, ""u8)));
        Assert.Equal("$3\r\na\0b\r\n", Written(w => RespWriter.Bulk(w, "a\0b"u8)));
        Assert.Equal("$2\r\n\u00c3\u00a9\r\n", Written(w => RespWriter.Bulk(w, "é")));
        Assert.Equal("$-1\r\n", Written(RespWriter.NullBulk));
        Assert.Equal("_\r\n", Written(RespWriter.Null));
        Assert.Equal("*0\r\n", Written(w => RespWriter.ArrayHeader(w, 0)));
        Assert.Equal("%2\r\n", Written(w => RespWriter.MapHeader(w, 2)));
    }

    [Fact]
    public void No_text_ends_its_line_early()
    {
        Assert.Equal("-ERR a  b c \r\n", Written(w => RespWriter.Error(w, "ERR a\r\nb\0c\n")));
        Assert.Equal("-ERR a  b c \r\n", Written(w => RespWriter.Error(w, "ERR a\r\nb\0c\n"u8)));
        Assert.Equal("+a +OK\r\n", Written(w => RespWriter.SimpleString(w, "a\n+OK")));
    }

    private static string Written(Action<IBufferWriter<byte>> write)
    {
        var writer = new ArrayBufferWriter<byte>();
        write(writer);
        return Latin1.Text(writer.WrittenSpan);
    }
}
