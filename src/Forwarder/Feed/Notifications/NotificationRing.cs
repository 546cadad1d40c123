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
    private EventPosition _lastDropped;

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

    /// <summary>Number of entries.</summary>
    public long Count
    {
        get
        {
            lock (_gate) return _next - _first;
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

    /// <summary>The position of the newest entry that was pushed out, if <see cref="HasOverflowed"/>.</summary>
    public EventPosition LastDropped
    {
        get
        {
            lock (_gate) return _lastDropped;
        }
    }

    /// <summary>The position of the oldest notification; null if there is none.</summary>
    public EventPosition? First
    {
        get
        {
            lock (_gate)
            {
                for (var at = _start; at < _end;)
                {
                    var header = MemoryMarshal.Read<Header>(_bytes.AsSpan(at));
                    if (header.MarkerLength == 0) return header.Position;

                    at += header.Size;
                }

                return null;
            }
        }
    }

    /// <param name="fields">Empty if the server did not tell.</param>
    /// <returns>Whether older entries were pushed out.</returns>
    public bool Add(in EventPosition position, int database, ReadOnlySpan<byte> eventName, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fields, long readAt) => Add(
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

    /// <summary>Removes entries from the front, up to and with this position of the same node. Entries are in the order of their positions.</summary>
    public void CutTo(in EventPosition last)
    {
        lock (_gate)
        {
            while (_start < _end && MemoryMarshal.Read<Header>(_bytes.AsSpan(_start)).Position is var position && (position.Marker, position.Count).CompareTo((last.Marker, last.Count)) <= 0)
            {
                DropOldest();
            }
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
            for (; _start < _end; _first++) _start += VisitAt(_start, visit);

            _start = _end = 0;
        }
    }

    /// <summary>Calls <paramref name="visit"/> for all entries, oldest first. It must not use this ring.</summary>
    public void Visit(Visitor visit)
    {
        lock (_gate)
        {
            for (var at = _start; at < _end;) at += VisitAt(at, visit);
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

    /// <returns>The size of the entry.</returns>
    private int VisitAt(int at, Visitor visit)
    {
        var header = MemoryMarshal.Read<Header>(_bytes.AsSpan(at));
        var rest = _bytes.AsSpan(at + HeaderBytes, header.Size - HeaderBytes);
        var fields = header.EventLength + header.KeyLength;
        visit(
            header.Position, header.Database, rest[..header.EventLength], rest.Slice(header.EventLength, header.KeyLength), rest.Slice(fields, header.FieldsLength), header.ReadAt,
            rest[(fields + header.FieldsLength)..]);
        return header.Size;
    }

    private bool Add(in Header header, ReadOnlySpan<byte> one, ReadOnlySpan<byte> two, ReadOnlySpan<byte> three)
    {
        lock (_gate)
        {
            var size = header.Size;
            _next++;
            if (size > maxBytes)
            {
                (_start, _end, _first, _hasOverflowed, _lastDropped) = (0, 0, _next, true, header.Position);
                return true;
            }

            var isFull = false;
            while (_end - _start > maxBytes - size)
            {
                _lastDropped = MemoryMarshal.Read<Header>(_bytes.AsSpan(_start)).Position;
                DropOldest();
                isFull = _hasOverflowed = true;
            }

            if (_end + size > _bytes.Length) MakeRoom(size);
            MemoryMarshal.Write(_bytes.AsSpan(_end), header);
            one.CopyTo(_bytes.AsSpan(_end + HeaderBytes));
            two.CopyTo(_bytes.AsSpan(_end + HeaderBytes + one.Length));
            three.CopyTo(_bytes.AsSpan(_end + HeaderBytes + one.Length + two.Length));
            _end += size;
            return isFull;
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
