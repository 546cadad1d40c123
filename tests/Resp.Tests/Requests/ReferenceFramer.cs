// What does the protocol say of this stream, read slowly?
using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

namespace KeyEvt.Resp.Tests.Requests;

/// <summary>How the reading of a stream ended.</summary>
internal enum ReferenceEnd
{
    Boundary,
    InsideRequest,
    InsideCandidate,
    Foreign,
    Error,
}

/// <summary>
/// The framer's rules written down a second time, over the whole stream at once, without any resuming: what may be forwarded, which requests are held,
/// which error comes at which byte.
/// </summary>
internal sealed partial class ReferenceFramer
{
    private readonly byte[] _stream;
    private readonly RespLimits _limits;

    /// <summary>Where the request being read begins, and up to where it is valid with its name known.</summary>
    private int _start;
    private int _validTo;
    private int _bodyDue;
    private bool _nameKnown;
    private bool _isCandidate;

    public ReferenceFramer(byte[] stream, RespLimits limits)
    {
        _stream = stream;
        _limits = limits;
        Read();
    }

    /// <summary>Bytes that are forwarded when the stream ends here; at an error, those of the whole requests in front of it.</summary>
    public List<byte> Forwarded { get; } = [];

    /// <summary>At an error: what may have been forwarded of the bad request before it was found bad.</summary>
    public byte[] MayFollow { get; private set; } = [];

    public List<Held> Candidates { get; } = [];

    public List<Asked> Asked { get; } = [];

    public ReferenceEnd End { get; private set; }

    public string? Error { get; private set; }

    public int ErrorOffset { get; private set; }

    [GeneratedRegex(@"\A(0|-?[1-9][0-9]*|-)?\z")]
    private static partial Regex CountPrefix { get; }

    [GeneratedRegex(@"\A(0|[1-9][0-9]*)?\z")]
    private static partial Regex LengthPrefix { get; }

    private void Read()
    {
        var position = 0;
        while (position < _stream.Length)
        {
            _start = position;
            _validTo = position;
            _nameKnown = false;
            _bodyDue = 0;
            try
            {
                var arguments = new List<string>();
                position = _stream[position] == '*' ? ReadMultibulk(position, arguments) : ReadInline(position, arguments);
                Complete(arguments, position);
            }
            catch (CutException)
            {
                EndCut();
                return;
            }
            catch (ForeignException)
            {
                End = ReferenceEnd.Foreign;
                return;
            }
            catch (BadException bad)
            {
                End = ReferenceEnd.Error;
                Error = "Protocol error: " + bad.Message;
                ErrorOffset = bad.Offset;
                MayFollow = _stream[_start.._validTo];
                return;
            }
        }
    }

    private void Complete(List<string> arguments, int end)
    {
        if (_isCandidate)
        {
            var isTaken = false;
            if (_stream[_start] != '*' || end - _start <= _limits.MaxCandidateBytes)
            {
                isTaken = arguments[0].StartsWith("key_evt_amqp.", StringComparison.OrdinalIgnoreCase);
                Candidates.Add(new Held([.. arguments], _stream[_start] != '*', end - _start, isTaken));
            }

            _isCandidate = false;
            if (isTaken) return;
        }

        Forwarded.AddRange(_stream[_start..end]);
    }

    private void EndCut()
    {
        var isTooLarge = _stream[_start] == '*' && _stream.Length - _start + _bodyDue > _limits.MaxCandidateBytes;
        if (_isCandidate && !isTooLarge)
        {
            End = ReferenceEnd.InsideCandidate;
            return;
        }

        End = ReferenceEnd.InsideRequest;
        if (_nameKnown) Forwarded.AddRange(_stream[_start.._validTo]);
    }

    private int ReadMultibulk(int position, List<string> arguments)
    {
        var (count, next) = ReadHeader(position, CountPrefix, "too big mbulk count string", "invalid multibulk length", _limits.MaxArguments);
        position = next;
        for (var i = 0; i < count; i++)
        {
            if (At(position) != '$') throw new BadException($"expected '$', got '{Shown(_stream[position])}'", position);
            (var length, position) = ReadHeader(position, LengthPrefix, "too big bulk count string", "invalid bulk length", _limits.MaxBulkBytes);
            if (_nameKnown) _validTo = position;

            var available = (int)Math.Min(length, _stream.Length - position);
            if (i == 0 && available >= Math.Min(16, length))
            {
                KnowName(Latin1.Text(_stream.AsSpan(position, (int)Math.Min(16, length))), length, count);
            }

            if (_nameKnown) _validTo = position + available;
            _bodyDue = (int)length - available;
            if (_bodyDue > 0) throw new CutException();
            arguments.Add(Latin1.Text(_stream.AsSpan(position, available)));
            position += available;
            if (At(position) != '\r') throw new BadException("invalid CRLF in request", position);
            if (At(position + 1) != '\n') throw new BadException("invalid CRLF in request", position + 1);
            position += 2;
            if (_nameKnown) _validTo = position;
        }

        return position;
    }

    private (long Number, int Next) ReadHeader(int position, Regex prefix, string tooBig, string invalid, long limit)
    {
        var text = "";
        for (var i = position + 1; ; i++)
        {
            var value = (char)At(i);
            if (value == '\r')
            {
                if (text is "" or "-" || BigInteger.Parse(text, CultureInfo.InvariantCulture) > limit) throw new BadException(invalid, i);
                if (At(i + 1) != '\n') throw new BadException("invalid CRLF in request", i + 1);
                return (long.Parse(text, CultureInfo.InvariantCulture), i + 2);
            }

            text += value;
            if (text.Length + 1 > _limits.MaxInlineBytes) throw new BadException(tooBig, i);
            if (!prefix.IsMatch(text) || (text.Length > 1 && BigInteger.Parse(text, CultureInfo.InvariantCulture) < long.MinValue))
            {
                throw new BadException(invalid, i);
            }
        }
    }

    private int ReadInline(int position, List<string> arguments)
    {
        var line = "";
        for (; At(position) != '\n'; position++)
        {
            if (_stream[position] == 0) throw new BadException("zero byte in inline request", position);
            line += (char)_stream[position];
            var mustHold = !_nameKnown || _isCandidate;
            if (mustHold && line.Length > _limits.MaxInlineBytes) throw new BadException("too big inline request", position);
            if (!_nameKnown) ReadFirstWord(line);
            if (_nameKnown) _validTo = position + 1;
        }

        if (!_nameKnown && FirstWord.Of(line).Text is { } word) KnowName(Head(word), Math.Min(16, word.Length), -1);
        if (_isCandidate)
        {
            arguments.AddRange(SplitArguments.Split(line) ?? throw new BadException("unbalanced quotes in request", position));
        }

        return position + 1;
    }

    private void ReadFirstWord(string line)
    {
        var word = FirstWord.Of(line);
        if (word.Text is null) return;
        if (word.OlderText is { } older)
        {
            KnowName(Head(older), older.Length, -1);
            _nameKnown = _isCandidate;
        }
        else if (word.HasEnded || word.Text.Length >= 16)
        {
            KnowName(Head(word.Text), Math.Min(16, word.Text.Length), -1);
        }
    }

    private static string Head(string name) => name[..Math.Min(16, name.Length)];

    private void KnowName(string head, long length, long count)
    {
        var text = head.Split('\0')[0];
        if (text.Equals("post", StringComparison.OrdinalIgnoreCase) || text.Equals("host:", StringComparison.OrdinalIgnoreCase))
        {
            throw new ForeignException();
        }

        Asked.Add(new Asked(head, length, count));
        _isCandidate = RecordingFilter.IsCandidateName(head);
        _nameKnown = true;
    }

    private byte At(int position) => position < _stream.Length ? _stream[position] : throw new CutException();

    private static char Shown(byte value) => value switch
    {
        0 or (byte)'\r' or (byte)'\n' => ' ',
        < 0x20 or > 0x7e => '?',
        _ => (char)value,
    };

    /// <summary>The stream ends inside a request.</summary>
    private sealed class CutException : Exception;

    private sealed class ForeignException : Exception;

    private sealed class BadException(string message, int offset) : Exception(message)
    {
        public int Offset { get; } = offset;
    }
}
