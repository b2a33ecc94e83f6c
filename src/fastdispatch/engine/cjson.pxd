cdef extern from *:
    """
    #include <math.h>
    #include <string.h>

    #define FD_JSON_DEPTH 50
    #define FD_JSON_START 1000
    #define FD_JSON_ITEMS 24

    typedef struct {
        char *data;
        Py_ssize_t used, size;
        int sort_keys, ensure_ascii, spaced;
        char start[FD_JSON_START];
    } fd_json;

    typedef struct { PyObject *key, *value; } fd_json_item;

    static const char fd_json_hex[] = "0123456789abcdef";

    /* Room for more bytes; 0 with MemoryError if there is none. */
    static int fd_json_grow(fd_json *out, Py_ssize_t more) {
        Py_ssize_t size;
        char *data;
        if (more > PY_SSIZE_T_MAX / 2 - out->used) { PyErr_NoMemory(); return 0; }
        size = (out->used + more) * 2;
        data = (char *)PyMem_Realloc(out->data == out->start ? NULL : out->data, size);
        if (data == NULL) { PyErr_NoMemory(); return 0; }
        if (out->data == out->start) memcpy(data, out->start, out->used);
        out->data = data;
        out->size = size;
        return 1;
    }
    static CYTHON_INLINE int fd_json_room(fd_json *out, Py_ssize_t more) {
        return out->size - out->used >= more || fd_json_grow(out, more);
    }
    static int fd_json_put(fd_json *out, const char *text, Py_ssize_t size) {
        if (!fd_json_room(out, size)) return -1;
        memcpy(out->data + out->used, text, size);
        out->used += size;
        return 1;
    }
    static CYTHON_INLINE char *fd_json_unit(char *to, unsigned int unit) {
        *to++ = '\\\\'; *to++ = 'u';
        *to++ = fd_json_hex[unit >> 12 & 15];
        *to++ = fd_json_hex[unit >> 8 & 15];
        *to++ = fd_json_hex[unit >> 4 & 15];
        *to++ = fd_json_hex[unit & 15];
        return to;
    }
    static CYTHON_INLINE int fd_json_plain(Py_UCS4 c) {
        return c >= ' ' && c < 127 && c != '"' && c != '\\\\';
    }
    /* The most bytes that a code point takes, and 1 only for those that are plain. */
    static CYTHON_INLINE int fd_json_width(Py_UCS4 c, int ensure_ascii) {
        return fd_json_plain(c) ? 1 : c < 0x10000 ? 6 : ensure_ascii ? 12 : 4;
    }
    static int fd_json_str(fd_json *out, PyObject *text) {
        Py_ssize_t length = PyUnicode_GET_LENGTH(text);
        Py_ssize_t index;
        Py_ssize_t size = 2;
        int kind = PyUnicode_KIND(text);
        const void *data = PyUnicode_DATA(text);
        char *to;
        if (length > PY_SSIZE_T_MAX / 32) return 0;
        for (index = 0; index < length; index++)
            size += fd_json_width(PyUnicode_READ(kind, data, index), out->ensure_ascii);
        if (!fd_json_room(out, size)) return -1;
        if (size == length + 2) {
            /* Nothing to escape: it is ASCII. */
            to = out->data + out->used;
            *to = '"';
            memcpy(to + 1, data, length);
            to[length + 1] = '"';
            out->used += size;
            return 1;
        }
        to = out->data + out->used;
        *to++ = '"';
        for (index = 0; index < length; index++) {
            Py_UCS4 c = PyUnicode_READ(kind, data, index);
            if (fd_json_plain(c)) { *to++ = (char)c; continue; }
            switch (c) {
            case '"': *to++ = '\\\\'; *to++ = '"'; continue;
            case '\\\\': *to++ = '\\\\'; *to++ = '\\\\'; continue;
            case '\\n': *to++ = '\\\\'; *to++ = 'n'; continue;
            case '\\r': *to++ = '\\\\'; *to++ = 'r'; continue;
            case '\\t': *to++ = '\\\\'; *to++ = 't'; continue;
            case '\\b': *to++ = '\\\\'; *to++ = 'b'; continue;
            case '\\f': *to++ = '\\\\'; *to++ = 'f'; continue;
            }
            if (c < ' ' || (out->ensure_ascii && c < 0x10000)) {
                to = fd_json_unit(to, c);
            } else if (out->ensure_ascii) {
                to = fd_json_unit(to, 0xd800 | (c - 0x10000) >> 10);
                to = fd_json_unit(to, 0xdc00 | ((c - 0x10000) & 0x3ff));
            } else if (c < 0x80) {
                *to++ = (char)c;
            } else if (c < 0x800) {
                *to++ = (char)(0xc0 | c >> 6);
                *to++ = (char)(0x80 | (c & 0x3f));
            } else if (c < 0x10000) {
                if (c >= 0xd800 && c < 0xe000) return 0;
                *to++ = (char)(0xe0 | c >> 12);
                *to++ = (char)(0x80 | (c >> 6 & 0x3f));
                *to++ = (char)(0x80 | (c & 0x3f));
            } else {
                *to++ = (char)(0xf0 | c >> 18);
                *to++ = (char)(0x80 | (c >> 12 & 0x3f));
                *to++ = (char)(0x80 | (c >> 6 & 0x3f));
                *to++ = (char)(0x80 | (c & 0x3f));
            }
        }
        *to++ = '"';
        out->used = to - out->data;
        return 1;
    }
    static int fd_json_int(fd_json *out, PyObject *number) {
        int overflow;
        long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
        unsigned long long rest;
        char digits[24];
        char *from = digits + sizeof digits;
        if (overflow) return 0;
        if (value == -1 && PyErr_Occurred()) return -1;
        rest = value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;
        do { *--from = (char)('0' + rest % 10); rest /= 10; } while (rest);
        if (value < 0) *--from = '-';
        return fd_json_put(out, from, digits + sizeof digits - from);
    }
    static int fd_json_float(fd_json *out, PyObject *number) {
        double value = PyFloat_AS_DOUBLE(number);
        char *text;
        int done;
        if (isnan(value)) return fd_json_put(out, "NaN", 3);
        if (isinf(value))
            return value > 0
                ? fd_json_put(out, "Infinity", 8) : fd_json_put(out, "-Infinity", 9);
        text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
        if (text == NULL) return -1;
        done = fd_json_put(out, text, (Py_ssize_t)strlen(text));
        PyMem_Free(text);
        return done;
    }
    static int fd_json_compare(const void *one, const void *other) {
        return PyUnicode_Compare(
            ((const fd_json_item *)one)->key, ((const fd_json_item *)other)->key);
    }
    static int fd_json_value(fd_json *out, PyObject *obj, int depth);

    static int fd_json_items(
        fd_json *out, fd_json_item *items, Py_ssize_t size, int depth
    ) {
        for (Py_ssize_t index = 0; index < size; index++) {
            int done;
            if (index && fd_json_put(out, ", ", 1 + out->spaced) < 0) return -1;
            if ((done = fd_json_str(out, items[index].key)) != 1) return done;
            if (fd_json_put(out, ": ", 1 + out->spaced) < 0) return -1;
            if ((done = fd_json_value(out, items[index].value, depth)) != 1) return done;
        }
        return fd_json_put(out, "}", 1);
    }
    static int fd_json_dict(fd_json *out, PyObject *obj, int depth) {
        fd_json_item few[FD_JSON_ITEMS];
        fd_json_item *items = few;
        Py_ssize_t size = PyDict_GET_SIZE(obj);
        Py_ssize_t position = 0;
        Py_ssize_t count = 0;
        int sorted = 1;
        int done = 0;
        /* No Python code runs in here, so nothing changes what is borrowed. */
        if (size > FD_JSON_ITEMS) {
            if ((size_t)size > PY_SSIZE_T_MAX / sizeof(fd_json_item)) return 0;
            items = (fd_json_item *)PyMem_Malloc(size * sizeof(fd_json_item));
            if (items == NULL) { PyErr_NoMemory(); return -1; }
        }
        while (count < size
               && PyDict_Next(obj, &position, &items[count].key, &items[count].value)) {
            if (!PyUnicode_CheckExact(items[count].key)) goto end;
            if (count && out->sort_keys && sorted)
                sorted = PyUnicode_Compare(items[count - 1].key, items[count].key) < 0;
            count++;
        }
        if (!sorted) qsort(items, count, sizeof(fd_json_item), fd_json_compare);
        done = fd_json_put(out, "{", 1);
        if (done == 1) done = fd_json_items(out, items, count, depth);
    end:
        if (items != few) PyMem_Free(items);
        return done;
    }
    static int fd_json_sequence(fd_json *out, PyObject *obj, int depth) {
        PyObject **items = PySequence_Fast_ITEMS(obj);
        Py_ssize_t size = PySequence_Fast_GET_SIZE(obj);
        if (fd_json_put(out, "[", 1) < 0) return -1;
        for (Py_ssize_t index = 0; index < size; index++) {
            int done;
            if (index && fd_json_put(out, ", ", 1 + out->spaced) < 0) return -1;
            if ((done = fd_json_value(out, items[index], depth)) != 1) return done;
        }
        return fd_json_put(out, "]", 1);
    }
    /* 1: written; 0: unsure; -1: an error. */
    static int fd_json_value(fd_json *out, PyObject *obj, int depth) {
        if (PyUnicode_CheckExact(obj)) return fd_json_str(out, obj);
        if (PyLong_CheckExact(obj)) return fd_json_int(out, obj);
        if (obj == Py_None) return fd_json_put(out, "null", 4);
        if (obj == Py_True) return fd_json_put(out, "true", 4);
        if (obj == Py_False) return fd_json_put(out, "false", 5);
        if (PyFloat_CheckExact(obj)) return fd_json_float(out, obj);
        if (depth >= FD_JSON_DEPTH) return 0;
        if (PyDict_CheckExact(obj)) return fd_json_dict(out, obj, depth + 1);
        if (PyList_CheckExact(obj) || PyTuple_CheckExact(obj))
            return fd_json_sequence(out, obj, depth + 1);
        return 0;
    }
    static PyObject *fd_json_write(
        PyObject *obj, int sort_keys, int ensure_ascii, int spaced, int newline
    ) {
        fd_json out;
        PyObject *text = NULL;
        int done;
        out.data = out.start;
        out.used = 0;
        out.size = FD_JSON_START;
        out.sort_keys = sort_keys;
        out.ensure_ascii = ensure_ascii;
        out.spaced = spaced;
        done = fd_json_value(&out, obj, 0);
        if (done == 1 && newline) done = fd_json_put(&out, "\\n", 1);
        if (done == 1) text = PyBytes_FromStringAndSize(out.data, out.used);
        else if (done == 0) text = Py_NewRef(Py_None);
        if (out.data != out.start) PyMem_Free(out.data);
        return text;
    }
    """
    object fd_json_write(
        object obj, bint sort_keys, bint ensure_ascii, bint spaced, bint newline
    )


cdef inline bytes write(
    object obj, bint sort_keys, bint ensure_ascii, bint spaced, bint newline
):
    return fd_json_write(obj, sort_keys, ensure_ascii, spaced, newline)
