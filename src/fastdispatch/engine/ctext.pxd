from cpython.object cimport PyObject

from .cdicts cimport append_value
from .cdicts cimport fd_recall


cdef extern from "string.h":
    const void *memchr(const void *, int, size_t) noexcept
    int memcmp(const void *, const void *, size_t) noexcept


cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_UCS4 PyUnicode_READ(int kind, void *data, Py_ssize_t index)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    Py_ssize_t PyUnicode_FindChar(
        object text, Py_UCS4 char, Py_ssize_t start, Py_ssize_t stop, int direction
    ) except -2
    bint Py_UNICODE_ISDECIMAL(Py_UCS4 char)


cdef inline bint is_ascii(str text) noexcept:
    return PyUnicode_IS_ASCII(text)


cdef inline bint is_decimal(str text, Py_ssize_t start, Py_ssize_t stop) noexcept:
    # The caller keeps 0 <= start and stop <= len(text).
    cdef int kind = PyUnicode_KIND(text)
    cdef void *data = PyUnicode_DATA(text)
    cdef Py_ssize_t index
    if start >= stop:
        return False
    for index in range(start, stop):
        if not Py_UNICODE_ISDECIMAL(PyUnicode_READ(kind, data, index)):
            return False
    return True


cdef inline bint is_underscored(object name) noexcept:
    return type(name) is not str or (
        PyUnicode_GET_LENGTH(name) > 0
        and PyUnicode_READ(PyUnicode_KIND(name), PyUnicode_DATA(name), 0) == c"_"
    )


cdef extern from "Python.h":
    bytes PyUnicode_AsUTF8String(object text)


cdef inline bint is_head(str method):
    # Most methods are told by their length.
    return PyUnicode_GET_LENGTH(method) == 4 and method == "HEAD"


cdef inline bytes utf8(str text):
    return PyUnicode_AsUTF8String(text)


cdef inline bint contains(str text, str part) noexcept:
    # Both are ASCII, and there is something in part.
    cdef const char *at = <const char *>PyUnicode_DATA(text)
    cdef const char *wanted = <const char *>PyUnicode_DATA(part)
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(part)
    cdef const char *stop = at + PyUnicode_GET_LENGTH(text) - size + 1
    while at < stop:
        at = <const char *>memchr(at, wanted[0], stop - at)
        if at is NULL:
            return False
        if memcmp(at, wanted, size) == 0:
            return True
        at += 1
    return False


cdef inline bint lacks_cookie(object environ, object name) except -1:
    cdef PyObject *cookies
    if (
        type(environ) is not dict
        or type(name) is not str
        or not PyUnicode_IS_ASCII(name)
        or PyUnicode_GET_LENGTH(name) == 0
    ):
        return False
    cookies = fd_recall(environ, "HTTP_COOKIE")
    if cookies is NULL:
        return True
    if type(<object>cookies) is not str or not PyUnicode_IS_ASCII(<object>cookies):
        return False
    return not contains(<str>cookies, <str>name)


cdef inline Py_ssize_t find_char(
    str text, Py_UCS4 char, Py_ssize_t start, Py_ssize_t stop
) except -2:
    return PyUnicode_FindChar(text, char, start, stop, 1)


cdef inline Py_ssize_t rfind_char(
    str text, Py_UCS4 char, Py_ssize_t start, Py_ssize_t stop
) except -2:
    return PyUnicode_FindChar(text, char, start, stop, -1)


cdef inline bint has_double_slash(str text) noexcept:
    cdef int kind = PyUnicode_KIND(text)
    cdef void *data = PyUnicode_DATA(text)
    cdef Py_ssize_t index
    cdef bint slash = False
    for index in range(PyUnicode_GET_LENGTH(text)):
        if PyUnicode_READ(kind, data, index) != u"/":
            slash = False
        elif slash:
            return True
        else:
            slash = True
    return False


cdef enum:
    MAX_TO_INT = 18


cdef inline object to_int(str text, Py_ssize_t start):
    cdef Py_ssize_t stop = PyUnicode_GET_LENGTH(text)
    cdef Py_ssize_t index = start
    cdef const unsigned char *data
    cdef bint minus
    cdef long long value = 0
    if not PyUnicode_IS_ASCII(text):
        return int(text[start:])
    data = <const unsigned char *>PyUnicode_DATA(text)
    minus = data[start] == c"-"
    for index in range(start + minus, stop):
        value = value * 10 + (data[index] - c"0")
    return -value if minus else value


cdef extern from "Python.h":
    object PyUnicode_New(Py_ssize_t, Py_UCS4)
    object PyBytes_FromStringAndSize(const char *, Py_ssize_t)
    char *PyBytes_AS_STRING(object)
    Py_ssize_t PyBytes_GET_SIZE(object)
    str PyUnicode_FromKindAndData(int, const void *, Py_ssize_t)
    str PyUnicode_DecodeUTF8(const char *, Py_ssize_t, const char *)
    void *PyMem_Malloc(size_t)
    void PyMem_Free(void *)


cdef inline int hex_digit(unsigned char c) noexcept:
    if c'0' <= c <= c'9':
        return c - c'0'
    if c'a' <= c <= c'f':
        return c - c'a' + 10
    if c'A' <= c <= c'F':
        return c - c'A' + 10
    return -1


cdef inline str unquoted(const unsigned char *data, Py_ssize_t size, char *buffer):
    # buffer has room for size. UnicodeDecodeError where it is not UTF-8.
    cdef Py_ssize_t index = 0
    cdef Py_ssize_t used = 0
    cdef int high
    cdef int low
    cdef unsigned char c
    while index < size:
        c = data[index]
        index += 1
        if c == c'+':
            c = c' '
        elif c == c'%' and index + 1 < size:
            high = hex_digit(data[index])
            low = hex_digit(data[index + 1])
            if high >= 0 and low >= 0:
                c = <unsigned char>(high * 16 + low)
                index += 2
        buffer[used] = <char>c
        used += 1
    return PyUnicode_DecodeUTF8(buffer, used, NULL)


cdef inline bint read_pairs(str text, object target) except -1:
    cdef const unsigned char *data
    cdef char *buffer = NULL
    cdef Py_ssize_t size
    cdef Py_ssize_t index
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t equals = -1
    cdef bint quoted = False
    cdef unsigned char c
    if not PyUnicode_IS_ASCII(text):
        return False
    data = <const unsigned char *>PyUnicode_DATA(text)
    size = len(text)
    try:
        for index in range(size + 1):
            c = data[index] if index < size else c'&'
            if c == c'&':
                if index > start:
                    if equals < 0:
                        equals = index
                    if not quoted:
                        name = PyUnicode_FromKindAndData(1, data + start, equals - start)
                    else:
                        if buffer is NULL:
                            buffer = <char *>PyMem_Malloc(size)
                            if buffer is NULL:
                                raise MemoryError()
                        name = unquoted(data + start, equals - start, buffer)
                    equals += 1
                    if equals >= index:
                        value = ""
                    elif not quoted:
                        value = PyUnicode_FromKindAndData(1, data + equals, index - equals)
                    else:
                        value = unquoted(data + equals, index - equals, buffer)
                    append_value(target, name, value)
                start = index + 1
                equals = -1
                quoted = False
            elif c == c'=':
                if equals < 0:
                    equals = index
            elif c == c'%' or c == c'+':
                quoted = True
    except UnicodeDecodeError:
        return False
    finally:
        PyMem_Free(buffer)
    return True


cdef inline bint read_cookies(str text, object target) except -1:
    cdef const unsigned char *data
    cdef Py_ssize_t size
    cdef Py_ssize_t index
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t equals = -1
    cdef unsigned char c
    if not PyUnicode_IS_ASCII(text):
        return False
    data = <const unsigned char *>PyUnicode_DATA(text)
    size = len(text)
    for index in range(size + 1):
        c = data[index] if index < size else c';'
        if c == c';':
            if equals < 0:
                equals = index
            if equals > start:
                name = PyUnicode_FromKindAndData(1, data + start, equals - start)
                equals += 1
                if equals >= index:
                    value = ""
                else:
                    value = PyUnicode_FromKindAndData(1, data + equals, index - equals)
                append_value(target, name, value)
            start = index + 1
            equals = -1
        elif c == c' ':
            if index > start:
                return False
            start = index + 1
        elif c == c'=':
            if equals < 0:
                equals = index
        elif c == c'"' or c == c'\t':
            return False
    return True


cdef inline object find_cookie(str text, str name):
    cdef const char *data
    cdef const char *wanted
    cdef Py_ssize_t size
    cdef Py_ssize_t wanted_size
    cdef Py_ssize_t index
    cdef Py_ssize_t start = 0
    cdef Py_ssize_t equals = -1
    cdef char c
    if not PyUnicode_IS_ASCII(text) or not PyUnicode_IS_ASCII(name):
        return None
    data = <const char *>PyUnicode_DATA(text)
    size = len(text)
    wanted = <const char *>PyUnicode_DATA(name)
    wanted_size = len(name)
    for index in range(size + 1):
        c = data[index] if index < size else c';'
        if c == c';':
            if equals < 0:
                equals = index
            if (
                equals > start
                and equals - start == wanted_size
                and memcmp(data + start, wanted, wanted_size) == 0
            ):
                equals += 1
                if equals >= index:
                    return ""
                return PyUnicode_FromKindAndData(1, data + equals, index - equals)
            start = index + 1
            equals = -1
        elif c == c' ':
            if index > start:
                return None
            start = index + 1
        elif c == c'=':
            if equals < 0:
                equals = index
        elif c == c'"' or c == c'\t':
            return None
    return ""


cdef inline bint may_shrink(bytes data) noexcept:
    return len(data) > 11


cdef extern from *:
    """
    static const char fd_base64[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static CYTHON_INLINE int fd_base64_value(unsigned char c) {
        if (c >= 'A' && c <= 'Z') return c - 'A';
        if (c >= 'a' && c <= 'z') return c - 'a' + 26;
        if (c >= '0' && c <= '9') return c - '0' + 52;
        return c == '-' ? 62 : c == '_' ? 63 : -1;
    }
    """
    const char *fd_base64
    int fd_base64_value(unsigned char c) noexcept


cdef inline str to_base64(bytes data):
    cdef const unsigned char *source = <const unsigned char *>PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t left = size % 3
    cdef object text = PyUnicode_New(size // 3 * 4 + (left + 1 if left else 0), 127)
    cdef char *target = <char *>PyUnicode_DATA(text)
    cdef Py_ssize_t index
    cdef unsigned int bits
    for index in range(0, size - 2, 3):
        bits = (source[0] << 16) | (source[1] << 8) | source[2]
        target[0] = fd_base64[bits >> 18]
        target[1] = fd_base64[(bits >> 12) & 63]
        target[2] = fd_base64[(bits >> 6) & 63]
        target[3] = fd_base64[bits & 63]
        source += 3
        target += 4
    if left:
        bits = source[0] << 16
        if left == 2:
            bits |= source[1] << 8
            target[2] = fd_base64[(bits >> 6) & 63]
        target[0] = fd_base64[bits >> 18]
        target[1] = fd_base64[(bits >> 12) & 63]
    return <str>text


cdef inline bytes from_base64(str text, Py_ssize_t start):
    # start is not beyond the end of text.
    cdef const unsigned char *source = <const unsigned char *>PyUnicode_DATA(text)
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(text) - start
    cdef Py_ssize_t index
    cdef object data
    cdef char *target
    cdef unsigned int bits = 0
    cdef int have = 0
    cdef int value
    if not PyUnicode_IS_ASCII(text) or size % 4 == 1:
        return None
    data = PyBytes_FromStringAndSize(NULL, size * 3 // 4)
    target = PyBytes_AS_STRING(data)
    for index in range(start, start + size):
        value = fd_base64_value(source[index])
        if value < 0:
            return None
        bits = (bits << 6) | <unsigned int>value
        have += 6
        if have >= 8:
            have -= 8
            target[0] = <char>(bits >> have)
            target += 1
            bits &= (1 << have) - 1
    return <bytes>data


cdef inline bint has_newline(str text) except -1:
    cdef Py_ssize_t size = len(text)
    if PyUnicode_IS_ASCII(text):
        return (
            memchr(PyUnicode_DATA(text), 10, size) is not NULL
            or memchr(PyUnicode_DATA(text), 13, size) is not NULL
        )
    return (
        PyUnicode_FindChar(text, 10, 0, size, 1) >= 0
        or PyUnicode_FindChar(text, 13, 0, size, 1) >= 0
    )


cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object)
    bint PyTuple_CheckExact(object)
    Py_ssize_t PyTuple_GET_SIZE(object)
    PyObject *PyTuple_GET_ITEM(object, Py_ssize_t)


cdef inline Py_ssize_t header_size(object item) except -2:
    cdef PyObject *name
    cdef PyObject *value
    if not PyTuple_CheckExact(item) or PyTuple_GET_SIZE(item) != 2:
        return -1
    name = PyTuple_GET_ITEM(item, 0)
    value = PyTuple_GET_ITEM(item, 1)
    if (
        not PyUnicode_CheckExact(<object>name)
        or not PyUnicode_CheckExact(<object>value)
        or has_newline(<str>value)
    ):
        return -1
    return PyUnicode_GET_LENGTH(<object>name)
