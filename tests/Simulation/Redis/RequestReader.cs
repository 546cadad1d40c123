using System.Globalization;
using System.Text;

namespace KeyEvt.Simulation.Redis;

/// <summary>Which commands has a client sent? Arrays of bulk strings, as the engine writes them; a piece may end anywhere.</summary>
internal sealed class RequestReader
{
    private string _unread = "";

    /// <summary>The commands that are whole, as Latin-1 text.</summary>
    public IEnumerable<string[]> Read(byte[] bytes)
    {
        _unread += Encoding.Latin1.GetString(bytes);
        var at = 0;
        while (TryRead(ref at) is { } command) yield return command;

        _unread = _unread[at..];
    }

    private string[]? TryRead(ref int at)
    {
        var next = at;
        if (TryNumber('*', ref next) is not { } count) return null;

        var arguments = new string[count];
        for (var i = 0; i < count; i++)
        {
            if (TryNumber('$', ref next) is not { } length || next + length + 2 > _unread.Length) return null;

            arguments[i] = _unread.Substring(next, length);
            next += length + 2;
        }

        at = next;
        return arguments;
    }

    private int? TryNumber(char kind, ref int at)
    {
        var end = _unread.IndexOf('\n', at);
        if (end < 0) return null;

        if (_unread[at] != kind) throw new InvalidOperationException($"the engine sent no command: {_unread[at..end]}");

        var number = int.Parse(_unread.AsSpan((at + 1)..(end - 1)), NumberStyles.None, CultureInfo.InvariantCulture);
        at = end + 1;
        return number;
    }
}
