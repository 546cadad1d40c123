using System.Runtime.InteropServices;
using KeyEvt.Forwarder.Events;

namespace KeyEvt.Forwarder.Feed.Notifications;

/// <summary>
/// What came last in a node's stream? Keeps notifications and markers in order, up to a number of bytes; the oldest make room. Thread safe. Allocates
/// only to grow.
/// </summary>
/// <param name="maxBytes">Maximum size, headers included.</param>
internal sealed class NotificationRing(int maxBytes)
{
    /// <summary>Guards all fields.</summary>
    private readonly Lock _gate = new();
    private byte[] _bytes = [];
    private int _start;
    private int _end;
    private long _first; // sequence number of the oldest entry
    private long _next;
    private bool _hasOverflowed;

    [StructLayout(LayoutKind.Sequential)]
    private struct Header
    {
        public EventPosition Position;
        public long ReadAt;
        public int Database;
        public int EventLength;
        public int KeyLength;
        public int FieldsLength;
        public int MarkerLength;

        public readonly int Size => HeaderBytes + EventLength + KeyLength + FieldsLength + MarkerLength;
    }

    private static int HeaderBytes => System.Runtime.CompilerServices.Unsafe.SizeOf<Header>();

    /// <summary>The sequence number of the next entry.</summary>
    public long Next
    {
        get
        {
            lock (_gate) return _next;
        }
    }

    public int Bytes
    {
        get
        {
            lock (_gate) return _end - _start;
        }
    }

    /// <summary>Whether entries were pushed out since the last <see cref="Cut"/> or <see cref="Clear"/>.</summary>
    public bool HasOverflowed
    {
        get
        {
            lock (_gate) return _hasOverflowed;
        }
    }

    /// <param name="fields">Empty if the server did not tell.</param>
    public void Add(in EventPosition position, int database, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long readAt) => Add(
        new Header { Position = position, Database = database, ReadAt = readAt, EventLength = eventName.Length, KeyLength = key.Length, FieldsLength = fields.Length },
        eventName,
        key,
        fields);

    public void AddMarker(ReadOnlySpan<byte> payload) => Add(new Header { MarkerLength = payload.Length }, payload, default, default);

    /// <summary>Removes all entries in front of this sequence number.</summary>
    public void Cut(long before)
    {
        lock (_gate)
        {
            while (_first < before && _start < _end) DropOldest();
            _hasOverflowed = false;
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            (_start, _end, _first, _hasOverflowed) = (0, 0, _next, false);
            _bytes = [];
        }
    }

    public delegate void Visitor(
        in EventPosition position, int database, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long readAt, ReadOnlySpan<byte> marker);

    /// <summary>Calls <paramref name="visit"/> for all entries, oldest first, and removes them.</summary>
    public void Drain(Visitor visit)
    {
        lock (_gate)
        {
            for (; _start < _end; _first++)
            {
                var header = MemoryMarshal.Read<Header>(_bytes.AsSpan(_start));
                var rest = _bytes.AsSpan(_start + HeaderBytes, header.Size - HeaderBytes);
                var fields = header.EventLength + header.KeyLength;
                visit(
                    header.Position, header.Database, rest[..header.EventLength], rest.Slice(header.EventLength, header.KeyLength), rest.Slice(fields, header.FieldsLength),
                    header.ReadAt, rest[(fields + header.FieldsLength)..]);
                _start += header.Size;
            }

            _start = _end = 0;
        }
    }

    /// <summary>Copies all entries, oldest first.</summary>
    public List<RecordedNotification> Read()
    {
        lock (_gate)
        {
            ReadOnlyMemory<byte> copy = _bytes.AsSpan(_start.._end).ToArray();
            var all = new List<RecordedNotification>();
            for (var at = 0; at < copy.Length;)
            {
                var header = MemoryMarshal.Read<Header>(copy.Span[at..]);
                var rest = copy.Slice(at + HeaderBytes, header.Size - HeaderBytes);
                var fields = header.EventLength + header.KeyLength;
                all.Add(new RecordedNotification(
                    header.Position, header.Database, rest[..header.EventLength], rest.Slice(header.EventLength, header.KeyLength), rest.Slice(fields, header.FieldsLength),
                    header.ReadAt, rest[(fields + header.FieldsLength)..]));
                at += header.Size;
            }

            return all;
        }
    }

    private void Add(in Header header, ReadOnlySpan<byte> one, ReadOnlySpan<byte> two, ReadOnlySpan<byte> three)
    {
        lock (_gate)
        {
            var size = header.Size;
            _next++;
            if (size > maxBytes)
            {
                (_start, _end, _first, _hasOverflowed) = (0, 0, _next, true);
                return;
            }

            while (_end - _start > maxBytes - size)
            {
                DropOldest();
                _hasOverflowed = true;
            }

            if (_end + size > _bytes.Length) MakeRoom(size);
            MemoryMarshal.Write(_bytes.AsSpan(_end), header);
            one.CopyTo(_bytes.AsSpan(_end + HeaderBytes));
            two.CopyTo(_bytes.AsSpan(_end + HeaderBytes + one.Length));
            three.CopyTo(_bytes.AsSpan(_end + HeaderBytes + one.Length + two.Length));
            _end += size;
        }
    }

    private void DropOldest()
    {
        _start += MemoryMarshal.Read<Header>(_bytes.AsSpan(_start)).Size;
        _first++;
    }

    /// <summary>
    /// Moves the entries to the front, and into a larger array unless half of the present one is free. So for each added byte at most one byte is
    /// moved on average.
    /// </summary>
    private void MakeRoom(int size)
    {
        var used = _end - _start;
        var to = used + size <= _bytes.Length / 2 ? _bytes : new byte[Math.Max(4096, (used + size) * 2)];
        _bytes.AsSpan(_start, used).CopyTo(to);
        (_bytes, _start, _end) = (to, 0, used);
    }
}
